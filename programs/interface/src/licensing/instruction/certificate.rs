use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use super::build;
use crate::{
    ASSOCIATED_TOKEN_PROGRAM, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM,
    instruction::{readonly, writable, writable_signer},
    pda,
};

/// Creates `issue_certificate`: issues a work's one certificate to its owner. Signed by the owner.
pub fn issue_certificate(owner: &Pubkey, work: &Pubkey, name: &str) -> Instruction {
    let mint = pda::certificate(work);
    let accounts = vec![
        writable_signer(*owner),
        writable(*work),
        writable(mint),
        writable(pda::tokens(owner, &mint, &TOKEN_PROGRAM)),
        writable(pda::metadata(&mint)),
        writable(pda::edition(&mint)),
        readonly(TOKEN_METADATA_PROGRAM),
        readonly(TOKEN_PROGRAM),
        readonly(ASSOCIATED_TOKEN_PROGRAM),
        readonly(system_program::ID),
    ];
    build("issue_certificate", accounts, &name)
}
