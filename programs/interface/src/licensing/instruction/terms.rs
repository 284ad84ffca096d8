use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;
use solana_sha256_hasher::hash;

use super::build;
use crate::{
    codec::*,
    instruction::{readonly, writable, writable_signer},
    licensing::Offer,
    pda,
};

/// Arguments of `publish_terms`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct PublishTermsArgs {
    /// Content of the terms.
    pub offer: Offer,
}

/// Creates `publish_terms`: publishes the terms that follow number `latest_terms`. Signed by the
/// work's owner.
pub fn publish_terms(
    owner: &Pubkey,
    work: &Pubkey,
    latest_terms: u32,
    currency: &Pubkey,
    offer: Offer,
) -> Instruction {
    let accounts = vec![
        writable_signer(*owner),
        writable(*work),
        writable(pda::terms(work, latest_terms + 1)),
        readonly(*currency),
        readonly(system_program::ID),
    ];
    build("publish_terms", accounts, &PublishTermsArgs { offer })
}

/// Returns the digest that `accept_terms` expects: the SHA-256 of the terms account's data.
pub fn terms_digest(account_data: &[u8]) -> [u8; 32] {
    hash(account_data).to_bytes()
}
