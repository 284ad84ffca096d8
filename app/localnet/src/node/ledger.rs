use std::collections::{HashMap, VecDeque, hash_map::Entry};

use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction_status::VersionedTransactionWithStatusMeta;

/// A transaction that landed.
pub(crate) struct Record {
    pub(crate) slot: u64,
    pub(crate) unix_timestamp: i64,
    pub(crate) transaction: VersionedTransactionWithStatusMeta,
}

impl Record {
    pub(crate) fn signature(&self) -> Signature {
        // A transaction without a signature has no fee payer and cannot land.
        self.transaction.transaction.signatures.first().copied().unwrap_or_default()
    }
}

/// The transactions that landed last, by signature and by address.
pub(crate) struct Ledger {
    capacity: usize,
    /// Number of the first record kept; numbers count from the first record ever inserted.
    first: u64,
    records: VecDeque<Record>,
    by_signature: HashMap<Signature, u64>,
    by_address: HashMap<Pubkey, VecDeque<u64>>,
}

impl Ledger {
    /// Creates a ledger that keeps the last `capacity` transactions.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            first: 0,
            records: VecDeque::new(),
            by_signature: HashMap::new(),
            by_address: HashMap::new(),
        }
    }

    /// Returns the number of transactions ever inserted.
    pub(crate) fn count(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    pub(crate) fn get(&self, signature: &Signature) -> Option<&Record> {
        self.record(*self.by_signature.get(signature)?)
    }

    /// Returns the transactions that name `address`, newest first.
    pub(crate) fn of_address(&self, address: &Pubkey) -> impl Iterator<Item = &Record> {
        let numbers = self.by_address.get(address).into_iter().flatten().rev();
        numbers.filter_map(|number| self.record(*number))
    }

    pub(crate) fn insert(&mut self, record: Record) {
        let number = self.count();
        self.by_signature.insert(record.signature(), number);
        for address in record.transaction.account_keys().iter() {
            self.by_address.entry(*address).or_default().push_back(number);
        }
        self.records.push_back(record);
        if self.records.len() > self.capacity {
            self.remove_oldest();
        }
    }

    fn record(&self, number: u64) -> Option<&Record> {
        self.records.get(number.checked_sub(self.first)? as usize)
    }

    fn remove_oldest(&mut self) {
        let Some(oldest) = self.records.pop_front() else { return };
        self.first += 1;
        self.by_signature.remove(&oldest.signature());
        for address in oldest.transaction.account_keys().iter() {
            if let Entry::Occupied(mut numbers) = self.by_address.entry(*address) {
                numbers.get_mut().pop_front();
                if numbers.get().is_empty() {
                    numbers.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use solana_message::{Message, VersionedMessage};
    use solana_system_interface::instruction::transfer;
    use solana_transaction::versioned::VersionedTransaction;
    use solana_transaction_status::TransactionStatusMeta;

    use super::*;

    fn record(payer: &Pubkey, number: u8) -> Record {
        let message = Message::new(&[transfer(payer, &Pubkey::new_unique(), 1)], Some(payer));
        let transaction = VersionedTransaction {
            signatures: vec![Signature::from([number; 64])],
            message: VersionedMessage::Legacy(message),
        };
        let meta = TransactionStatusMeta::default();
        let transaction = VersionedTransactionWithStatusMeta { transaction, meta };
        Record { slot: u64::from(number), unix_timestamp: 0, transaction }
    }

    #[test]
    fn full_ledger_forgets_its_oldest_record() {
        let mut ledger = Ledger::new(2);
        let (payer, other) = (Pubkey::new_unique(), Pubkey::new_unique());
        ledger.insert(record(&other, 1));
        ledger.insert(record(&payer, 2));
        ledger.insert(record(&payer, 3));

        assert!(ledger.get(&Signature::from([1; 64])).is_none());
        assert_eq!(ledger.of_address(&other).count(), 0);
        let slots: Vec<_> = ledger.of_address(&payer).map(|record| record.slot).collect();
        assert_eq!(slots, [3, 2]);
        assert_eq!(ledger.get(&Signature::from([2; 64])).map(|record| record.slot), Some(2));
        assert_eq!(ledger.count(), 3);
    }
}
