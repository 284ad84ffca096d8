use std::collections::BTreeMap;

use anchor_lang::error::ErrorCode;
use solana_pubkey::Pubkey;

use super::{Book, Channel, Refused, Work, exact, refused};

/// Everything both programs know, and every token there is.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Unix seconds.
    pub now: i64,
    /// Of the cluster.
    pub slot: u64,
    /// Of the deployment.
    pub config: Config,
    /// By address, as all of these.
    pub works: BTreeMap<Pubkey, Work>,
    /// Channels that are not closed for good.
    pub channels: BTreeMap<Pubkey, Channel>,
    /// By work and mint.
    pub books: BTreeMap<(Pubkey, Pubkey), Book>,
    /// Tills: what lies in each, base units, and how much was ever swept.
    pub tills: BTreeMap<(Pubkey, Pubkey), (u128, u128)>,
    /// Statements written down before they settle, by channel and settler.
    pub staged: BTreeMap<(Pubkey, Pubkey), Vec<u8>>,
    /// What each vault holds, by mint.
    pub vaults: BTreeMap<Pubkey, u128>,
    /// What people's token accounts hold, by owner and mint.
    pub purses: BTreeMap<(Pubkey, Pubkey), Purse>,
}

/// What holds for the deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// May change it.
    pub authority: Pubkey,
    /// Offered the authority.
    pub pending_authority: Option<Pubkey>,
    /// Decides disputes.
    pub arbiter: Pubkey,
    /// At stake with a dispute, lamports.
    pub bond: u64,
    /// For a verdict.
    pub dispute_seconds: u32,
}

/// A person's associated token account, and what it holds, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purse {
    /// Takes and gives.
    Open(u128),
    /// Frozen by the mint's authority.
    Frozen(u128),
    /// Given to another owner: takes money, but no longer for this person.
    Away(u128),
    /// Not there.
    Closed,
}

impl Purse {
    /// Base units in it.
    pub fn amount(self) -> u128 {
        match self {
            Self::Open(amount) | Self::Frozen(amount) | Self::Away(amount) => amount,
            Self::Closed => 0,
        }
    }
}

impl Ledger {
    /// What a vault must still be able to pay: everything in channels and books.
    pub fn owed_by_vault(&self, mint: &Pubkey) -> u128 {
        let of_this = self.channels.values().filter(|channel| channel.mint == *mint);
        let in_channels: u128 = of_this.map(Channel::left).sum();
        let of_this = self.books.iter().filter(|((_, other), _)| other == mint);
        let in_books: u128 = of_this.map(|(_, book)| book.left()).sum();
        in_channels + in_books
    }

    /// Base units in a person's token account.
    pub fn balance(&self, person: &Pubkey, mint: &Pubkey) -> u128 {
        self.purses.get(&(*person, *mint)).map_or(0, |purse| purse.amount())
    }

    /// Whether a person's own token account takes money from any sender.
    pub fn takes_money(&self, person: &Pubkey, mint: &Pubkey) -> bool {
        matches!(self.purses.get(&(*person, *mint)), Some(Purse::Open(_)))
    }

    /// Whether a token account takes money when the recipient named its address.
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

    /// A work.
    ///
    /// # Errors
    /// When there is none at this address.
    pub fn work(&self, address: &Pubkey) -> Result<&Work, Refused> {
        let work = self.works.get(address);
        work.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    pub(super) fn work_mut(&mut self, address: &Pubkey) -> Result<&mut Work, Refused> {
        let work = self.works.get_mut(address);
        work.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// A channel.
    ///
    /// # Errors
    /// When there is none at this address.
    pub fn channel(&self, address: &Pubkey) -> Result<&Channel, Refused> {
        let channel = self.channels.get(address);
        channel.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// A work's book in a currency.
    ///
    /// # Errors
    /// When it was never opened.
    pub fn book(&self, work: &Pubkey, mint: &Pubkey) -> Result<&Book, Refused> {
        let book = self.books.get(&(*work, *mint));
        book.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// Adds what came from outside to a vault, for tests that put money where it belongs.
    pub fn bring_into_vault(&mut self, mint: &Pubkey, amount: u128) {
        let vault = self.vaults.entry(*mint).or_default();
        assert!(exact::fits(*vault + amount), "more than there can be of a token");
        *vault += amount;
    }
}
