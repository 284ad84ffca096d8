use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{Offer, PublishTermsArgs, SYSTEM_PROGRAM, instruction};
use crate::pda;

/// Publishes the terms that follow number `latest_terms`. Signed by the work's owner.
pub fn publish_terms(
    owner: &Pubkey,
    work: &Pubkey,
    latest_terms: u32,
    currency: &Pubkey,
    offer: Offer,
) -> Instruction {
    let accounts = licensing::accounts::PublishTerms {
        owner: *owner,
        work: *work,
        terms: pda::terms(work, latest_terms + 1),
        currency: *currency,
        system_program: SYSTEM_PROGRAM,
    };
    let args = PublishTermsArgs { offer };
    instruction(&accounts, &licensing::instruction::PublishTerms { args })
}

/// What `accept` wants to see of terms: the SHA-256 of the account's data as it was read.
pub fn terms_digest(account_data: &[u8]) -> [u8; 32] {
    hash(account_data).to_bytes()
}
