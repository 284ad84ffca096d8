//! Entrypoint for the library that Metaplex publishes on crates.io.

#[cfg(target_arch = "bpf")]
use sbf_builtins as _;
use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};

solana_program::entrypoint!(process);

fn process<'a>(program: &'a Pubkey, accounts: &'a [AccountInfo<'a>], data: &'a [u8]) -> ProgramResult {
    mpl_token_metadata::processor::process_instruction(program, accounts, data)
}
