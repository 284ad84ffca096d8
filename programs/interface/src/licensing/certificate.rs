use anchor_spl::{associated_token, metadata, token};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{SYSTEM_PROGRAM, instruction};
use crate::pda;

/// Metaplex Token Metadata, which certificates are written in.
pub const TOKEN_METADATA_PROGRAM: Pubkey = metadata::ID;

/// Issues a work's one certificate to its owner. Signed by the owner.
pub fn issue_certificate(owner: &Pubkey, work: &Pubkey, name: &str) -> Instruction {
    let mint = pda::certificate(work);
    let accounts = licensing::accounts::IssueCertificate {
        owner: *owner,
        work: *work,
        mint,
        owner_tokens: pda::tokens(owner, &mint, &token::ID),
        metadata: pda::metadata(&mint),
        edition: pda::edition(&mint),
        token_metadata_program: TOKEN_METADATA_PROGRAM,
        token_program: token::ID,
        associated_token_program: associated_token::ID,
        system_program: SYSTEM_PROGRAM,
    };
    let name = name.to_owned();
    instruction(&accounts, &licensing::instruction::IssueCertificate { name })
}
