use std::collections::{BTreeSet, HashMap};

use motif_sdk::{Pubkey, record::ChainRecord};

/// Persons whom works pay.
#[derive(Debug, Default)]
pub struct Readers(HashMap<Pubkey, Vec<[u8; 32]>>);

impl Readers {
    /// Reads the owners and recipients of all works, and former recipients with earnings.
    pub fn new(record: &ChainRecord) -> Self {
        let mut readers: HashMap<Pubkey, BTreeSet<[u8; 32]>> = HashMap::new();
        for (address, work) in &record.works {
            let of_work = readers.entry(*address).or_default();
            of_work.insert(work.owner.to_bytes());
            of_work.extend(work.split.iter().map(|share| share.recipient.to_bytes()));
        }
        for account in &record.earnings {
            let of_work = readers.entry(account.earnings.work).or_default();
            of_work.extend(account.recipients.iter().map(|part| part.key.to_bytes()));
        }
        Self(readers.into_iter().map(|(work, all)| (work, Vec::from_iter(all))).collect())
    }

    /// Returns the persons whom a work pays; none for an unknown work.
    pub fn of_work(&self, work: &Pubkey) -> Vec<[u8; 32]> {
        self.0.get(work).cloned().unwrap_or_default()
    }

    /// Returns whether a work was on chain.
    pub fn know(&self, work: &Pubkey) -> bool {
        self.0.contains_key(work)
    }
}
