use std::collections::BTreeMap;

use anchor_lang::error::ErrorCode;
use solana_pubkey::Pubkey;

use super::{Book, Channel, Operator, Refused, Till, Work, exact, refused};

/// State of both programs and all token balances.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Unix seconds.
    pub now: i64,
    /// Slot of the cluster.
    pub slot: u64,
    /// Config of the deployment.
    pub config: Config,
    /// Works by address.
    pub works: BTreeMap<Pubkey, Work>,
    /// Operators by authority.
    pub operators: BTreeMap<Pubkey, Operator>,
    /// Existing channels by address.
    pub channels: BTreeMap<Pubkey, Channel>,
    /// Books by work and mint.
    pub books: BTreeMap<(Pubkey, Pubkey), Book>,
    /// Tills by address.
    pub tills: BTreeMap<Pubkey, Till>,
    /// Statement buffers by channel and settler.
    pub staged: BTreeMap<(Pubkey, Pubkey), Vec<u8>>,
    /// Fees of closed channels that were not claimed in time, by mint.
    pub forfeited: BTreeMap<Pubkey, u128>,
    /// Balances of vaults by mint.
    pub vaults: BTreeMap<Pubkey, u128>,
    /// Token accounts of people by owner and mint.
    pub purses: BTreeMap<(Pubkey, Pubkey), Purse>,
}

/// Config of the deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Authority.
    pub authority: Pubkey,
    /// Key that the authority is offered to.
    pub pending_authority: Option<Pubkey>,
    /// Arbiter.
    pub arbiter: Pubkey,
    /// Bond, lamports.
    pub bond: u64,
    /// Time for a verdict.
    pub dispute_seconds: u32,
}

/// Associated token account of a person with its balance, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purse {
    /// Usable.
    Open(u128),
    /// Frozen by the mint's authority.
    Frozen(u128),
    /// Transferred to another owner: receives tokens for the other owner.
    Away(u128),
    /// Missing.
    Closed,
}

impl Purse {
    /// Returns the balance, base units.
    pub fn amount(self) -> u128 {
        match self {
            Self::Open(amount) | Self::Frozen(amount) | Self::Away(amount) => amount,
            Self::Closed => 0,
        }
    }
}

impl Ledger {
    /// Returns the amount in a vault: what it must be able to pay out, the sum over channels and
    /// books, and forfeited fees.
    pub fn owed_by_vault(&self, mint: &Pubkey) -> u128 {
        let of_this = self.channels.values().filter(|channel| channel.mint == *mint);
        let in_channels: u128 = of_this.map(Channel::left).sum();
        let of_this = self.books.iter().filter(|((_, other), _)| other == mint);
        let in_books: u128 = of_this.map(|(_, book)| book.left()).sum();
        let forfeited = self.forfeited.get(mint).copied().unwrap_or(0);
        in_channels + in_books + forfeited
    }

    /// Returns the base units in a person's token account.
    pub fn balance(&self, person: &Pubkey, mint: &Pubkey) -> u128 {
        self.purses.get(&(*person, *mint)).map_or(0, |purse| purse.amount())
    }

    /// Returns whether a person's own token account can receive tokens.
    pub fn takes_money(&self, person: &Pubkey, mint: &Pubkey) -> bool {
        matches!(self.purses.get(&(*person, *mint)), Some(Purse::Open(_)))
    }

    /// Returns whether a token account that the recipient named can receive tokens.
    pub fn takes_gifts(&self, person: &Pubkey, mint: &Pubkey) -> bool {
        let purse = self.purses.get(&(*person, *mint));
        matches!(purse, Some(Purse::Open(_) | Purse::Away(_)))
    }

    pub(super) fn pay_out(&mut self, person: &Pubkey, mint: &Pubkey, amount: u128) {
        *self.vaults.entry(*mint).or_default() -= amount;
        let purse = self.purses.get_mut(&(*person, *mint));
        if let Some(Purse::Open(balance) | Purse::Away(balance)) = purse {
            *balance += amount;
        }
    }

    pub(super) fn pay_in(&mut self, person: &Pubkey, mint: &Pubkey, amount: u128) {
        *self.vaults.entry(*mint).or_default() += amount;
        if let Some(Purse::Open(balance)) = self.purses.get_mut(&(*person, *mint)) {
            *balance -= amount;
        }
    }

    /// Returns a work.
    ///
    /// # Errors
    /// If it does not exist.
    pub fn work(&self, address: &Pubkey) -> Result<&Work, Refused> {
        let work = self.works.get(address);
        work.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    pub(super) fn work_mut(&mut self, address: &Pubkey) -> Result<&mut Work, Refused> {
        let work = self.works.get_mut(address);
        work.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// Returns a channel.
    ///
    /// # Errors
    /// If it does not exist.
    pub fn channel(&self, address: &Pubkey) -> Result<&Channel, Refused> {
        let channel = self.channels.get(address);
        channel.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// Returns a work's book in a currency.
    ///
    /// # Errors
    /// If it was never opened.
    pub fn book(&self, work: &Pubkey, mint: &Pubkey) -> Result<&Book, Refused> {
        let book = self.books.get(&(*work, *mint));
        book.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// Adds tokens from outside to a vault, for tests that write balances directly.
    pub fn bring_into_vault(&mut self, mint: &Pubkey, amount: u128) {
        let vault = self.vaults.entry(*mint).or_default();
        assert!(exact::fits(*vault + amount), "more than there can be of a token");
        *vault += amount;
    }
}
