//! Puppets: recipients that leave something behind, so that an account of earnings is full.

use motif_sdk::{pda, till::TillShares};
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{Episode, Step};
use crate::{model::Book, world::Person};

/// First number of a puppet; people of a cast have lower ones.
const PUPPETS: u64 = 1_000_000;

impl Episode {
    /// The recipients of a work pass it on to puppets without token accounts, or the owner takes it
    /// back. They have agreed, so the account is written as `licensing` would.
    pub(super) fn pass_on(&mut self) -> &'static str {
        let works = self.ledger.works.iter();
        let free: Vec<_> = works
            .filter(|(_, work)| work.dispute.is_none() && work.change.is_none())
            .map(|(address, _)| *address)
            .collect();
        let favored = free.first().copied().filter(|_| self.random.random_ratio(3, 4));
        let Some(address) = favored.or_else(|| free.choose(&mut self.random).copied()) else {
            return "nothing";
        };
        let owner = self.ledger.works[&address].owner;
        let split = if self.random.random_ratio(1, 6) {
            vec![(owner, 10_000)]
        } else {
            let first = PUPPETS + self.random.random_range(0..1 << 40);
            let keys = (first..first + 31).map(|number| Person::numbered(number).key());
            keys.map(|key| (key, 100)).chain([(owner, 6_900)]).collect()
        };
        self.world.rewrite_work(&address, |work| {
            work.split = split
                .iter()
                .map(|&(recipient, share_bps)| licensing::Share { recipient, share_bps })
                .collect();
            work.split_version += 1;
        });
        let work = self.ledger.works.get_mut(&address).expect("a work");
        work.split = split;
        work.split_version += 1;
        "a work is passed on to puppets"
    }

    /// The next of the calls that fill an account of earnings with former recipients: a credit that
    /// each of the present ones has a part of, then a change of split.
    pub(super) fn crowd_out(&mut self) -> Option<Step> {
        let crowded = |((_, _), book): &(&(Pubkey, Pubkey), &Book)| book.split.len() > 20;
        let books: Vec<_> = self.ledger.books.iter().filter(crowded).collect();
        let (&(work, mint), book) = *books.choose(&mut self.random)?;
        let unpaid = book.split.iter().all(|(person, _)| book.owed(person) > 0);
        let behind = book.split_version != self.ledger.works[&work].split_version;
        let host = self.world.host.clone();
        let shares = TillShares::sole(work);
        let till = pda::till(&shares, &mint);
        let step = if unpaid && behind {
            self.applying_split(&host, work, mint)
        } else if self.ledger.tills.contains_key(&till) {
            self.fill(till, 50_000);
            self.sweeping_till(till, None)
        } else {
            self.opening_till(&host, &shares, mint)
        };
        Some(step.of_attack("puppets as recipients"))
    }
}
