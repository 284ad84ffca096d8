//! Two proofs that a voucher key signed: [`signed_voucher`] reads the Ed25519 instruction directly
//! before the settlement, [`cosigned_voucher`] relies on the key's signature of the transaction.

use anchor_lang::prelude::*;
use motif_interface::{
    channel::SettleCosignedArgs,
    payments::PaymentsError,
    voucher::Voucher,
    voucher_proof::{ED25519_PROGRAM, ProvenVoucher, read},
};
use solana_sha256_hasher::hash;

/// Returns the voucher that the instruction directly before the running one proves.
///
/// `instructions` must be the instructions sysvar; the caller checks its address. All larger steps
/// of a settlement are inlined: passing a voucher between them costs more.
#[inline(always)]
pub fn signed_voucher(instructions: &AccountInfo) -> Result<ProvenVoucher> {
    let sysvar = instructions.try_borrow_data()?;
    // In a call by another program, "the instruction before" would precede that program's.
    let is_top_level = running_program(&sysvar) == Some(crate::ID.as_array());
    require!(is_top_level, PaymentsError::NotTopLevelInstruction);
    let proven = previous_instruction(&sysvar).and_then(read);
    proven.ok_or_else(|| error!(PaymentsError::MissingVoucherProof))
}

/// Returns the voucher that `key` signs by signing the transaction. The transaction's blockhash
/// limits its validity.
pub fn cosigned_voucher(
    key: &Signer,
    channel: Pubkey,
    cluster: [u8; 32],
    args: &SettleCosignedArgs,
) -> ProvenVoucher {
    let voucher = Voucher {
        cluster,
        channel,
        opened_slot: args.opened_slot,
        statement: args.number,
        cumulative: args.cumulative,
        statement_digest: hash(&args.statement).to_bytes(),
        expires_at: i64::MAX,
    };
    ProvenVoucher { key: key.key(), voucher }
}

// The sysvar: u16 count, u16 offset of each instruction, the instructions (u16 number of
// accounts, 33 bytes each, program id, u16 length, data), u16 index of the running one.

/// Returns the program of the running top-level instruction. This program never calls itself, so
/// it runs at the top level exactly if this is its id; querying the stack height costs more.
#[inline(always)]
fn running_program(sysvar: &[u8]) -> Option<&[u8; 32]> {
    let start = u16_at(sysvar, 2 + 2 * running_index(sysvar)?)?;
    let accounts = u16_at(sysvar, start)?;
    sysvar.get(start + 2 + 33 * accounts..)?.first_chunk()
}

/// Returns the data of the instruction before the running one, if it is of the Ed25519 precompile
/// and has no accounts.
#[inline(always)]
fn previous_instruction(sysvar: &[u8]) -> Option<&[u8]> {
    let previous = running_index(sysvar)?.checked_sub(1)?;
    let start = u16_at(sysvar, 2 + 2 * previous)?;
    let no_accounts = u16_at(sysvar, start)? == 0;
    let program = sysvar.get(start + 2..start + 34)?;
    if !no_accounts || program != ED25519_PROGRAM.as_array() {
        return None;
    }
    let length = u16_at(sysvar, start + 34)?;
    sysvar.get(start + 36..start + 36 + length)
}

#[inline(always)]
fn running_index(sysvar: &[u8]) -> Option<usize> {
    u16_at(sysvar, sysvar.len().checked_sub(2)?)
}

#[inline(always)]
fn u16_at(bytes: &[u8], offset: usize) -> Option<usize> {
    let bytes = bytes.get(offset..offset + 2)?;
    Some(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
}
