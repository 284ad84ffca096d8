//! What all instructions are made of.

use borsh::BorshSerialize;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use crate::account::discriminator;

/// Creates an instruction of the program at `program_id`. `name` is the handler's name; `args`
/// are its arguments in order.
pub(crate) fn build(
    program_id: Pubkey,
    name: &str,
    accounts: Vec<AccountMeta>,
    args: &impl BorshSerialize,
) -> Instruction {
    let mut data = discriminator("global", name).to_vec();
    borsh::to_writer(&mut data, args).expect("writing to memory does not fail");
    Instruction { program_id, accounts, data }
}

pub(crate) fn readonly(key: Pubkey) -> AccountMeta {
    AccountMeta::new_readonly(key, false)
}

pub(crate) fn writable(key: Pubkey) -> AccountMeta {
    AccountMeta::new(key, false)
}

pub(crate) fn signer(key: Pubkey) -> AccountMeta {
    AccountMeta::new_readonly(key, true)
}

pub(crate) fn writable_signer(key: Pubkey) -> AccountMeta {
    AccountMeta::new(key, true)
}

/// Creates the meta of an optional account. Anchor marks a missing one by the program's id.
pub(crate) fn optional(
    program_id: Pubkey,
    key: Option<Pubkey>,
    meta: fn(Pubkey) -> AccountMeta,
) -> AccountMeta {
    key.map_or_else(|| readonly(program_id), meta)
}
