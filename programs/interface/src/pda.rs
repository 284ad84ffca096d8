//! Where accounts are: every address follows from what it belongs to.
//!
//! ```
//! use motif_interface::{Pubkey, pda};
//!
//! let creator = Pubkey::new_from_array([1; 32]);
//! let work = pda::work(&creator, &[2; 32]);
//! assert_ne!(work, pda::work(&creator, &[3; 32]), "another picture is another work");
//! assert_ne!(pda::terms(&work, 1), pda::terms(&work, 2));
//! ```

use anchor_spl::associated_token::get_associated_token_address_with_program_id;
use anchor_spl::metadata::mpl_token_metadata::accounts::{MasterEdition, Metadata};
use licensing::{Approval, Config, Dispute, Purpose, SplitChange, Terms, Use, Work};
use payments::{Channel, Earnings, Issuance, Licensee, StatementBuffer, Till, Vault};
use solana_pubkey::Pubkey;

/// The deployment's one `licensing::Config`.
pub fn config() -> Pubkey {
    licensing_address(&[Config::SEED])
}

/// The work that `creator` registered for content with this SHA-256.
pub fn work(creator: &Pubkey, content_digest: &[u8; 32]) -> Pubkey {
    licensing_address(&[Work::SEED, creator.as_ref(), content_digest])
}

/// Version `number` of a work's terms; numbers start at 1.
pub fn terms(work: &Pubkey, number: u32) -> Pubkey {
    licensing_address(&[Terms::SEED, work.as_ref(), &number.to_le_bytes()])
}

/// The owner's yes to what `grantee` wants to do under terms.
pub fn approval(terms: &Pubkey, grantee: &Pubkey, purpose: Purpose) -> Pubkey {
    let seeds = [Approval::SEED, terms.as_ref(), grantee.as_ref(), &[purpose as u8]];
    licensing_address(&seeds)
}

/// The split proposed for a work.
pub fn split_change(work: &Pubkey) -> Pubkey {
    licensing_address(&[SplitChange::SEED, work.as_ref()])
}

/// The claim on a work, with its bond.
pub fn dispute(work: &Pubkey) -> Pubkey {
    licensing_address(&[Dispute::SEED, work.as_ref()])
}

/// The mint of a work's certificate.
pub fn certificate(work: &Pubkey) -> Pubkey {
    licensing_address(&[licensing::certificate::SEED, work.as_ref()])
}

/// What Token Metadata says about a mint.
pub fn metadata(mint: &Pubkey) -> Pubkey {
    Metadata::find_pda(mint).0
}

/// What makes a mint's token the only one.
pub fn edition(mint: &Pubkey) -> Pubkey {
    MasterEdition::find_pda(mint).0
}

/// The pool of a mint.
pub fn vault(mint: &Pubkey) -> Pubkey {
    payments_address(&[Vault::SEED, mint.as_ref()])
}

/// Where the tokens of a mint's pool rest.
pub fn vault_tokens(mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    tokens(&vault(mint), mint, token_program)
}

/// A payer's channel towards an operator; `salt` tells several apart.
pub fn channel(payer: &Pubkey, operator: &Pubkey, mint: &Pubkey, salt: u64) -> Pubkey {
    let (payer, operator, mint) = (payer.as_ref(), operator.as_ref(), mint.as_ref());
    payments_address(&[Channel::SEED, payer, operator, mint, &salt.to_le_bytes()])
}

/// What a work earns in one mint.
pub fn earnings(work: &Pubkey, mint: &Pubkey) -> Pubkey {
    payments_address(&[Earnings::SEED, work.as_ref(), mint.as_ref()])
}

/// What was handed out of the shared caps of one version of terms.
pub fn issuance(terms: &Pubkey) -> Pubkey {
    payments_address(&[Issuance::SEED, terms.as_ref()])
}

/// The mark that a payer has its one license of a use of one version of terms.
pub fn licensee(terms: &Pubkey, payer: &Pubkey, licensed_use: Use) -> Pubkey {
    let licensed_use = [Licensee::use_byte(licensed_use)];
    payments_address(&[Licensee::SEED, terms.as_ref(), payer.as_ref(), &licensed_use])
}

/// What takes plain transfers for a work in one mint.
pub fn till(work: &Pubkey, mint: &Pubkey) -> Pubkey {
    payments_address(&[Till::SEED, work.as_ref(), mint.as_ref()])
}

/// Where a settler writes down a channel's statement that is too large for a packet.
pub fn statement_buffer(channel: &Pubkey, settler: &Pubkey) -> Pubkey {
    payments_address(&[StatementBuffer::SEED, channel.as_ref(), settler.as_ref()])
}

/// The associated token account of `owner`.
pub fn tokens(owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    get_associated_token_address_with_program_id(owner, mint, token_program)
}

fn licensing_address(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &licensing::ID).0
}

fn payments_address(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &payments::ID).0
}
