//! Who signed a voucher, whichever way that was proved: [`SignedBy`] is all a settlement sees.
//!
//! Either the Ed25519 precompile's instruction stands directly before the settlement's
//! ([`signed_voucher`]), or the voucher key signed the transaction itself
//! ([`cosigned_voucher`]).
//!
//! The precompile lets its offsets point into any instruction; everything that could make what
//! it checked differ from what is read here is pinned. The instruction's data, 288 bytes:
//! count 1, padding 0, then as u16 little-endian signature offset 48, key offset 16, message
//! offset 112 and message length 176 with 0xFFFF ("this instruction") after each offset, then
//! key, signature, message. Layout: <https://docs.anza.xyz/runtime/programs#ed25519-program>.

use anchor_lang::prelude::*;
use solana_sha256_hasher::hash;

use crate::{error::PaymentsError, voucher::Voucher};

/// Who signed which voucher.
pub struct SignedBy {
    pub key: Pubkey,
    pub voucher: Voucher,
}

/// The Ed25519 precompile.
pub const ED25519_PROGRAM: Pubkey = pubkey!("Ed25519SigVerify111111111111111111111111111");

/// The sysvar that lets a program read its transaction's instructions.
pub const INSTRUCTIONS_SYSVAR: Pubkey = pubkey!("Sysvar1nstructions1111111111111111111111111");

/// Count, padding and the seven offsets of a canonical proof.
pub const HEADER: [u8; 16] = header();
/// Bytes of a proof instruction's data.
pub const SIZE: usize = MESSAGE_AT + Voucher::SIZE;

const KEY_AT: usize = 16;
const SIGNATURE_AT: usize = KEY_AT + 32;
const MESSAGE_AT: usize = SIGNATURE_AT + 64;

const fn header() -> [u8; 16] {
    const SAME: [u8; 2] = u16::MAX.to_le_bytes();
    let signature = (SIGNATURE_AT as u16).to_le_bytes();
    let key = (KEY_AT as u16).to_le_bytes();
    let message = (MESSAGE_AT as u16).to_le_bytes();
    let length = (Voucher::SIZE as u16).to_le_bytes();
    [
        1,
        0,
        signature[0],
        signature[1],
        SAME[0],
        SAME[1],
        key[0],
        key[1],
        SAME[0],
        SAME[1],
        message[0],
        message[1],
        length[0],
        length[1],
        SAME[0],
        SAME[1],
    ]
}

/// The voucher proved by the instruction directly before the running one.
///
/// `instructions` must be the instructions sysvar: the caller pins its address. Inlined, as all
/// of a settlement's larger steps: handing a voucher from one to the next costs more.
#[inline(always)]
pub fn signed_voucher(instructions: &AccountInfo) -> Result<SignedBy> {
    let sysvar = instructions.try_borrow_data()?;
    // Called by another program, "the instruction before" would be before that program's.
    let called_directly = running_program(&sysvar) == Some(crate::ID.as_array());
    require!(called_directly, PaymentsError::NotTopLevelInstruction);
    let signed = previous_instruction(&sysvar).and_then(read);
    signed.ok_or_else(|| error!(PaymentsError::MissingVoucherProof))
}

/// The voucher that `key` gives by signing the transaction: what it would have signed for
/// `(opened_slot, number, cumulative, statement)`. The transaction's blockhash ends it.
pub fn cosigned_voucher(
    key: &Signer,
    channel: Pubkey,
    cluster: [u8; 32],
    (opened_slot, number, cumulative, statement): (u64, u64, u64, &[u8]),
) -> SignedBy {
    let voucher = Voucher {
        cluster,
        channel,
        opened_slot,
        statement: number,
        cumulative,
        statement_digest: hash(statement).to_bytes(),
        expires_at: i64::MAX,
    };
    SignedBy { key: key.key(), voucher }
}

/// Reads a canonical proof's data; `None` for any other bytes.
#[inline(always)]
fn read(data: &[u8]) -> Option<SignedBy> {
    if data.len() != SIZE || data[..KEY_AT] != HEADER {
        return None;
    }
    let key: [u8; 32] = data[KEY_AT..SIGNATURE_AT].try_into().ok()?;
    let voucher = Voucher::from_bytes(&data[MESSAGE_AT..])?;
    Some(SignedBy { key: Pubkey::new_from_array(key), voucher })
}

// The sysvar: u16 count, u16 offset of each instruction, the instructions (u16 number of
// accounts, 33 bytes each, program id, u16 length, data), u16 index of the running one.

/// The program the transaction itself is calling now. This program calls itself nowhere, so it
/// is called directly exactly if it is this one; asking the runtime for the height of the stack
/// costs more.
#[inline(always)]
fn running_program(sysvar: &[u8]) -> Option<&[u8; 32]> {
    let start = u16_at(sysvar, 2 + 2 * running_index(sysvar)?)?;
    let accounts = u16_at(sysvar, start)?;
    sysvar.get(start + 2 + 33 * accounts..)?.first_chunk()
}

/// The data of the instruction before the running one, if that is an Ed25519 one without
/// accounts.
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
