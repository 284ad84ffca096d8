//! Checks after each step and at the end.

use licensing::WorkStatus;
use motif_tests::{
    model::{self, Refused},
    world::Code,
};
use solana_pubkey::Pubkey;

use super::History;

impl History<'_> {
    /// Pays every party, from the youngest work up, and checks that only dust remains.
    pub(super) fn drain(&mut self) {
        for number in 0..self.works.len() {
            if self.works[number].1.status == WorkStatus::Disputed {
                let (address, work) = &mut self.works[number];
                work.status = WorkStatus::Active;
                self.ledger.works.get_mut(address).unwrap().dispute = None;
                self.write_work(number);
            }
        }
        for currency in 0..self.channels.len() {
            let mint = self.mint(currency);
            for number in (0..self.works.len()).rev() {
                let work = self.works[number].0;
                self.collect_these(currency, &[number as u16]);
                self.apply_split_of(currency, number);
                let parents: Vec<_> =
                    self.works[number].1.parents.iter().map(|parent| parent.work).collect();
                for parent in parents {
                    self.pull_this(currency, work, parent);
                }
                let book = &self.ledger.books[&(work, mint)];
                let owed: Vec<_> =
                    book.people.keys().filter(|person| book.owed(person) > 0).copied().collect();
                for payees in owed.chunks(8) {
                    self.claim_these(currency, work, payees);
                }
                let book = &self.ledger.books[&(work, mint)];
                assert_eq!(book.left(), book.dust(), "{}: all is taken but dust", self.place());
            }
        }
    }

    pub(super) fn compare(
        &mut self,
        what: &str,
        chain: Result<(), Option<Code>>,
        ledger: Result<(), Refused>,
    ) {
        let agree = match (&chain, &ledger) {
            (Ok(()), Ok(())) => true,
            (Err(Some(code)), Err(Refused(codes))) => codes.contains(code),
            _ => false,
        };
        assert!(agree, "{}: {what}: {chain:?} on chain, {ledger:?} in the ledger", self.place());
        self.counts.refused += u64::from(chain.is_err());
    }

    /// Checks that the account equals the model, that no entitlement fell, and that the rest
    /// is dust.
    pub(super) fn check_book(&mut self, work: Pubkey, mint: Pubkey) {
        let data = self.stage.svm.get_account(&self.earnings[&(work, mint)]).unwrap().data;
        let book = &self.ledger.books[&(work, mint)];
        if let Err(difference) = model::same_book(&data, book) {
            panic!("{}: earnings of {work}: {difference}", self.place());
        }
        let parties = book.parents.len() + book.split.len();
        let dust = book.dust();
        assert!(dust < parties as u128, "{}: {dust} base units of dust: {book:?}", self.place());
        for person in book.people.keys() {
            let entitled = book.entitled(person);
            let before = self.entitled.insert((work, mint, *person), entitled).unwrap_or(0);
            assert!(entitled >= before, "{}: an entitlement fell", self.place());
        }
    }

    pub(super) fn check_everything(&mut self) {
        for (work, mint) in self.earnings.keys().copied().collect::<Vec<_>>() {
            self.check_book(work, mint);
        }
        for (number, address) in self.channels.clone().iter().enumerate() {
            let data = self.stage.svm.get_account(address).unwrap().data;
            if let Err(difference) = model::same_channel(&data, &self.ledger.channels[address]) {
                panic!("{}: channel: {difference}", self.place());
            }
            let mint = self.mint(number);
            let held = self.stage.tokens(&self.stage.currencies[number].vault_tokens);
            assert_eq!(held, self.ledger.vaults[&mint], "{}: vault", self.place());
            let owed = self.ledger.owed_by_vault(&mint);
            assert_eq!(held, owed, "{}: the vault holds what it owes", self.place());
            for person in &self.people {
                let purse = self.stage.currencies[number].purses[person].0;
                let balance = self.ledger.balance(person, &mint);
                assert_eq!(self.stage.tokens(&purse), balance, "{}: {person}", self.place());
            }
        }
    }
}
