//! Instructions of the payments program on earnings.

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

pub use crate::payments::{Earnings, EarningsAccount, Part};
use crate::{
    channel::{Currency, PROGRAM_ID, build},
    codec::*,
    instruction::{optional, readonly, signer, writable, writable_signer},
    pda,
};

/// One recipient to pay.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payee {
    /// Position of the recipient's part. It is a hint: a change of split may have moved the part.
    pub position: u8,
    /// Bump of the recipient's associated token account; ignored if the recipient signs.
    pub bump: u8,
}

/// Creates `open_earnings`: creates the account of a work's earnings in `mint`, which must have a
/// vault. Signed by `funder`, which can be any key.
pub fn open(funder: &Pubkey, work: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts = vec![
        writable_signer(*funder),
        readonly(*work),
        readonly(pda::vault(mint)),
        writable(pda::earnings(work, mint)),
        readonly(system_program::ID),
    ];
    build("open_earnings", accounts, &())
}

/// Creates `pull`: moves the parent's share of the earnings of `child` to the parent's earnings.
/// While `child` is disputed, its later earnings wait for the verdict. Needs no signature.
pub fn pull(child: &Pubkey, parent: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts = vec![
        readonly(*child),
        writable(pda::earnings(child, mint)),
        writable(pda::earnings(parent, mint)),
    ];
    build("pull", accounts, &())
}

/// Creates `apply_split`: updates earnings to their work's current split. Signed by `funder`, which
/// can be any key and pays for the parts of new recipients.
pub fn apply_split(funder: &Pubkey, work: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts = vec![
        writable_signer(*funder),
        readonly(*work),
        writable(pda::earnings(work, mint)),
        readonly(system_program::ID),
    ];
    build("apply_split", accounts, &())
}

/// Creates `apply_dispute`: applies the work's open dispute to its earnings in `mint`. Earlier
/// earnings stay claimable; later ones wait for the verdict. Needs no signature.
pub fn apply_dispute(work: &Pubkey, mint: &Pubkey) -> Instruction {
    build("apply_dispute", vec![readonly(*work), writable(pda::earnings(work, mint))], &())
}

/// Creates `claim` for one recipient: pays everything it is owed to its associated token account,
/// which must exist. Needs no signature.
pub fn claim(work: &Pubkey, recipient: &Pubkey, currency: &Currency) -> Instruction {
    claim_batch(work, &[(0, *recipient)], currency)
}

/// Maximum number of recipients for which [`claim_batch`] fits in a packet.
pub const CLAIM_BATCH: usize = 22;

/// Creates `claim` for several recipients: pays everything they are owed to their associated token
/// accounts, which must exist. Needs no signature. One recipient that cannot be paid fails the
/// whole batch; one that is owed nothing is skipped.
///
/// Each recipient comes with the position of its part behind the header, parents' parts included.
/// A wrong position costs a search and has no other effect.
pub fn claim_batch(work: &Pubkey, recipients: &[(u8, Pubkey)], currency: &Currency) -> Instruction {
    let destinations = recipients.iter().map(|&(position, recipient)| {
        let (destination, bump) =
            pda::tokens_with_bump(&recipient, &currency.mint, &currency.token_program);
        (Payee { position, bump }, destination)
    });
    let (payees, destinations) = destinations.unzip();
    claim_accounts(work, None, currency, payees, destinations)
}

/// Creates `claim` for a recipient that signs: pays everything it is owed to any token account.
/// Signed by `recipient`.
pub fn claim_to(
    work: &Pubkey,
    recipient: &Pubkey,
    currency: &Currency,
    destination: Pubkey,
) -> Instruction {
    let payee = Payee { position: 0, bump: 0 };
    claim_accounts(work, Some(*recipient), currency, vec![payee], vec![destination])
}

fn claim_accounts(
    work: &Pubkey,
    recipient: Option<Pubkey>,
    currency: &Currency,
    payees: Vec<Payee>,
    destinations: Vec<Pubkey>,
) -> Instruction {
    let mut accounts = vec![
        writable(pda::earnings(work, &currency.mint)),
        readonly(*work),
        readonly(pda::vault(&currency.mint)),
        writable(currency.vault_tokens()),
        readonly(currency.mint),
        readonly(currency.token_program),
        optional(PROGRAM_ID, recipient, signer),
    ];
    accounts.extend(destinations.into_iter().map(writable));
    build("claim", accounts, &payees)
}
