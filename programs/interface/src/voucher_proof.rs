//! Proof of a voucher's signature: the data of the Ed25519 precompile's instruction.
//!
//! The precompile allows offsets into any instruction, so every offset is fixed here: the
//! program reads exactly the bytes that the precompile verified. The data has 288 bytes: count 1,
//! padding 0, then as u16 little-endian signature offset 48, key offset 16, message offset 112 and
//! message length 176 with 0xFFFF ("this instruction") after each offset, then key, signature and
//! message. Layout: <https://docs.anza.xyz/runtime/programs#ed25519-program>.

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::{ed25519_program, sysvar};

use crate::voucher::{SignedVoucher, Voucher};

/// The Ed25519 precompile.
pub const ED25519_PROGRAM: Pubkey = ed25519_program::ID;
/// Sysvar with the instructions of the transaction.
pub const INSTRUCTIONS_SYSVAR: Pubkey = sysvar::instructions::ID;

/// Count, padding and the seven offsets.
pub const HEADER: [u8; 16] = header();
/// Bytes of the data.
pub const SIZE: usize = MESSAGE_AT + Voucher::SIZE;

const KEY_AT: usize = 16;
const SIGNATURE_AT: usize = KEY_AT + 32;
const MESSAGE_AT: usize = SIGNATURE_AT + 64;

/// A voucher and the key whose signature of it is proved.
pub struct ProvenVoucher {
    /// Key that signed.
    pub key: Pubkey,
    /// Signed voucher.
    pub voucher: Voucher,
}

impl SignedVoucher {
    /// Returns the Ed25519 instruction that proves the signature on chain. It must directly precede
    /// the settlement.
    pub fn proof(&self) -> Instruction {
        Instruction { program_id: ED25519_PROGRAM, accounts: Vec::new(), data: data(self).to_vec() }
    }
}

/// Returns the data that proves a signature.
pub fn data(signed: &SignedVoucher) -> [u8; SIZE] {
    let mut data = [0; SIZE];
    data[..KEY_AT].copy_from_slice(&HEADER);
    data[KEY_AT..SIGNATURE_AT].copy_from_slice(signed.key.as_ref());
    data[SIGNATURE_AT..MESSAGE_AT].copy_from_slice(&signed.signature);
    data[MESSAGE_AT..].copy_from_slice(&signed.voucher.to_bytes());
    data
}

/// Reads the data of a proof; returns `None` for any other data.
#[inline(always)]
pub fn read(data: &[u8]) -> Option<ProvenVoucher> {
    if data.len() != SIZE || data[..KEY_AT] != HEADER {
        return None;
    }
    let key: [u8; 32] = data[KEY_AT..SIGNATURE_AT].try_into().ok()?;
    let voucher = Voucher::from_bytes(&data[MESSAGE_AT..])?;
    Some(ProvenVoucher { key: Pubkey::new_from_array(key), voucher })
}

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
