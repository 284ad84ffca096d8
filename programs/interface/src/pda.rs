//! Program-derived addresses.
//!
//! ```
//! use motif_interface::{Pubkey, pda};
//!
//! let creator = Pubkey::new_from_array([1; 32]);
//! let work = pda::work(&creator, &[2; 32]);
//! assert_ne!(work, pda::work(&creator, &[3; 32]));
//! assert_ne!(pda::terms(&work, 1), pda::terms(&work, 2));
//! ```

use solana_pubkey::Pubkey;

use crate::{
    licensing::{
        self, Approval, CERTIFICATE_SEED, Config, Dispute, Purpose, SplitChange, Terms, Use, Work,
    },
    payments::{
        self, Channel, Earnings, Issuance, Licensee, Operator, StatementBuffer, Till, TillShares,
        Vault,
    },
    program_ids::{ASSOCIATED_TOKEN_PROGRAM, TOKEN_METADATA_PROGRAM},
};

/// Returns the address of the deployment's [`Config`].
pub fn config() -> Pubkey {
    licensing_address(&[Config::SEED])
}

/// Returns the address of the work that `creator` registers for content with this SHA-256.
pub fn work(creator: &Pubkey, content_digest: &[u8; 32]) -> Pubkey {
    licensing_address(&[Work::SEED, creator.as_ref(), content_digest])
}

/// Returns the address of version `number` of a work's terms; numbers start at 1.
pub fn terms(work: &Pubkey, number: u32) -> Pubkey {
    licensing_address(&[Terms::SEED, work.as_ref(), &number.to_le_bytes()])
}

/// Returns the address of an approval.
pub fn approval(terms: &Pubkey, grantee: &Pubkey, purpose: Purpose) -> Pubkey {
    let seeds = [Approval::SEED, terms.as_ref(), grantee.as_ref(), &[purpose as u8]];
    licensing_address(&seeds)
}

/// Returns the address of a work's proposed split.
pub fn split_change(work: &Pubkey) -> Pubkey {
    licensing_address(&[SplitChange::SEED, work.as_ref()])
}

/// Returns the address of a work's dispute.
pub fn dispute(work: &Pubkey) -> Pubkey {
    licensing_address(&[Dispute::SEED, work.as_ref()])
}

/// Returns the mint of a work's certificate.
pub fn certificate(work: &Pubkey) -> Pubkey {
    licensing_address(&[CERTIFICATE_SEED, work.as_ref()])
}

/// Returns the Token Metadata account of a mint.
pub fn metadata(mint: &Pubkey) -> Pubkey {
    let seeds = [b"metadata", TOKEN_METADATA_PROGRAM.as_ref(), mint.as_ref()];
    address(&seeds, &TOKEN_METADATA_PROGRAM)
}

/// Returns the Token Metadata master edition of a mint.
pub fn edition(mint: &Pubkey) -> Pubkey {
    let seeds = [b"metadata", TOKEN_METADATA_PROGRAM.as_ref(), mint.as_ref(), b"edition"];
    address(&seeds, &TOKEN_METADATA_PROGRAM)
}

/// Returns the address of a mint's vault.
pub fn vault(mint: &Pubkey) -> Pubkey {
    payments_address(&[Vault::SEED, mint.as_ref()])
}

/// Returns the token account of a mint's vault.
pub fn vault_tokens(mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    tokens(&vault(mint), mint, token_program)
}

/// Returns the address of the operator with this authority.
pub fn operator(authority: &Pubkey) -> Pubkey {
    payments_address(&[Operator::SEED, authority.as_ref()])
}

/// Returns the address of a channel; `salt` distinguishes channels of the same parties and mint.
pub fn channel(payer: &Pubkey, operator: &Pubkey, mint: &Pubkey, salt: u64) -> Pubkey {
    let (payer, operator, mint) = (payer.as_ref(), operator.as_ref(), mint.as_ref());
    payments_address(&[Channel::SEED, payer, operator, mint, &salt.to_le_bytes()])
}

/// Returns the address of a work's earnings in one mint.
pub fn earnings(work: &Pubkey, mint: &Pubkey) -> Pubkey {
    payments_address(&[Earnings::SEED, work.as_ref(), mint.as_ref()])
}

/// Returns the address of the quotas issued of one version of terms.
pub fn issuance(terms: &Pubkey) -> Pubkey {
    payments_address(&[Issuance::SEED, terms.as_ref()])
}

/// Returns the address of the marker that a payer has its one license of a use of terms.
pub fn licensee(terms: &Pubkey, payer: &Pubkey, licensed_use: Use) -> Pubkey {
    let licensed_use = [Licensee::use_byte(licensed_use)];
    payments_address(&[Licensee::SEED, terms.as_ref(), payer.as_ref(), &licensed_use])
}

/// Returns the address of the till of these shares in one mint.
pub fn till(shares: &TillShares, mint: &Pubkey) -> Pubkey {
    let seeds = [Till::SEED, shares.operator.as_ref(), mint.as_ref(), &shares.digest()];
    payments_address(&seeds)
}

/// Returns the address of a settler's statement buffer for a channel.
pub fn statement_buffer(channel: &Pubkey, settler: &Pubkey) -> Pubkey {
    payments_address(&[StatementBuffer::SEED, channel.as_ref(), settler.as_ref()])
}

/// Returns the associated token account of `owner`.
pub fn tokens(owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    tokens_with_bump(owner, mint, token_program).0
}

/// Returns the associated token account of `owner` and its bump.
pub(crate) fn tokens_with_bump(
    owner: &Pubkey,
    mint: &Pubkey,
    token_program: &Pubkey,
) -> (Pubkey, u8) {
    let seeds = [owner.as_ref(), token_program.as_ref(), mint.as_ref()];
    Pubkey::find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM)
}

fn licensing_address(seeds: &[&[u8]]) -> Pubkey {
    address(seeds, &licensing::ID)
}

fn payments_address(seeds: &[&[u8]]) -> Pubkey {
    address(seeds, &payments::ID)
}

fn address(seeds: &[&[u8]], program: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(seeds, program).0
}
