//! Where the money of works and persons is on chain.

use std::collections::BTreeMap;

use motif_interface::{
    channel::ChannelAccount,
    earnings::EarningsAccount,
    licensing::{Dispute, SplitChange, Work, WorkHead},
};
use solana_pubkey::Pubkey;

/// All accounts that say what works earn, as of one read.
#[derive(Clone, Debug, Default)]
pub struct ChainRecord {
    /// Registered works, earliest first.
    pub works: Vec<(Pubkey, Work)>,
    /// Open channels.
    pub channels: Vec<(Pubkey, ChannelAccount)>,
    /// Earnings of works, one account for each work and currency.
    pub earnings: Vec<EarningsAccount>,
    /// Proposed splits.
    pub split_changes: Vec<SplitChange>,
    /// Open disputes.
    pub disputes: Vec<Dispute>,
}

/// Amounts of one work or person in one currency, base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Settled and not collected.
    pub settled: u64,
    /// Collected into earnings so far.
    pub collected: u64,
    /// Owed to parents that have not pulled it.
    pub waiting: u64,
    /// Withheld until a verdict.
    pub disputed: u64,
    /// Ready for recipients.
    pub claimable: u64,
    /// Paid to recipients that the account still lists.
    pub claimed: u64,
}

/// Work that pays a person.
#[derive(Clone, Debug)]
pub struct PersonRecord<'a> {
    /// Address of the work.
    pub address: Pubkey,
    /// Its account.
    pub work: &'a Work,
    /// Whether the split or an earnings account lists the person.
    pub is_recipient: bool,
    /// Amounts by mint: those collected are the person's part, those before are the work's.
    pub amounts: BTreeMap<Pubkey, Amounts>,
}

impl Amounts {
    /// Adds other amounts of the same currency. A sum over works stays below a mint's supply, which has
    /// 64 bits.
    pub fn add(&mut self, other: &Self) {
        for (sum, amount) in [
            (&mut self.settled, other.settled),
            (&mut self.collected, other.collected),
            (&mut self.waiting, other.waiting),
            (&mut self.disputed, other.disputed),
            (&mut self.claimable, other.claimable),
            (&mut self.claimed, other.claimed),
        ] {
            *sum = sum.saturating_add(amount);
        }
    }
}

impl ChainRecord {
    /// Returns a registered work.
    pub fn work(&self, address: &Pubkey) -> Option<&Work> {
        self.works.iter().find(|(other, _)| other == address).map(|(_, work)| work)
    }

    /// Returns the earnings accounts of a work.
    pub fn earnings_of(&self, work: &Pubkey) -> impl Iterator<Item = &EarningsAccount> {
        let work = *work;
        self.earnings.iter().filter(move |account| account.earnings.work == work)
    }

    /// Returns the amounts of a work by mint; empty for an unknown work.
    pub fn of_work(&self, address: &Pubkey) -> BTreeMap<Pubkey, Amounts> {
        let Some(work) = self.work(address) else { return BTreeMap::new() };
        let head = work.head();
        let mut amounts = self.settled(|work| work == address).remove(address).unwrap_or_default();
        for account in self.earnings_of(address) {
            let sum = amounts.entry(account.earnings.mint).or_default();
            sum.collected = account.earnings.earned;
            let (waiting, contested) = waiting(account, &head);
            (sum.waiting, sum.disputed) = (waiting, contested);
            for position in 0..account.recipients.len() {
                sum.add(&recipient(account, position, &head, 0));
            }
        }
        amounts
    }

    /// Returns the works that a person registered or owns or has a share of, earliest first.
    pub fn of_person(&self, person: &Pubkey) -> Vec<PersonRecord<'_>> {
        let mut parts: BTreeMap<Pubkey, Vec<(&EarningsAccount, usize)>> = BTreeMap::new();
        for account in &self.earnings {
            if let Some(position) = account.position(person) {
                parts.entry(account.earnings.work).or_default().push((account, position));
            }
        }
        let mut settled = self.settled(|_| true);
        let mut records = Vec::new();
        for (address, work) in &self.works {
            let own = parts.remove(address).unwrap_or_default();
            let is_recipient =
                !own.is_empty() || work.split.iter().any(|share| share.recipient == *person);
            if !is_recipient && work.owner != *person && work.creator != *person {
                continue;
            }
            let head = work.head();
            let mut amounts = settled.remove(address).unwrap_or_default();
            for account in self.earnings_of(address) {
                amounts.entry(account.earnings.mint).or_default().waiting =
                    waiting(account, &head).0;
            }
            for (account, position) in own {
                let entitled = account.entitled(position);
                let sum = amounts.entry(account.earnings.mint).or_default();
                sum.add(&recipient(account, position, &head, entitled));
            }
            records.push(PersonRecord { address: *address, work, is_recipient, amounts });
        }
        records
    }

    /// Returns what is settled and not collected for works that match, by work and mint.
    fn settled(
        &self,
        matches: impl Fn(&Pubkey) -> bool,
    ) -> BTreeMap<Pubkey, BTreeMap<Pubkey, Amounts>> {
        let mut settled: BTreeMap<Pubkey, BTreeMap<Pubkey, Amounts>> = BTreeMap::new();
        for (_, account) in &self.channels {
            for license in account.licenses.iter().filter(|license| matches(&license.work)) {
                let new = license.settled.saturating_sub(license.collected);
                let of_work = settled.entry(license.work).or_default();
                let sum = of_work.entry(account.channel.mint).or_default();
                sum.settled = sum.settled.saturating_add(new);
            }
        }
        settled
    }
}

/// Returns what parents can pull, and what a dispute withholds from them.
fn waiting(account: &EarningsAccount, head: &WorkHead) -> (u64, u64) {
    let parts = account.parents.iter().enumerate();
    parts.fold((0_u64, 0_u64), |(waiting, contested), (position, part)| {
        let rest = account.parent_entitled(position).saturating_sub(part.taken);
        let pullable = account.pullable(position, head).min(rest);
        (waiting.saturating_add(pullable), contested.saturating_add(rest - pullable))
    })
}

/// Returns the part of the recipient at `position`.
fn recipient(
    account: &EarningsAccount,
    position: usize,
    head: &WorkHead,
    collected: u64,
) -> Amounts {
    let claimed = account.recipients.get(position).map_or(0, |part| part.taken);
    let rest = account.entitled(position).saturating_sub(claimed);
    let claimable = account.claimable(position, head).min(rest);
    Amounts { collected, disputed: rest - claimable, claimable, claimed, ..Amounts::default() }
}
