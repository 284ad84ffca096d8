//! Calls of the payments program about earnings.

use anchor_lang::error::ErrorCode;
use motif_sdk::{channel as sdk, earnings, pda};
use payments::PaymentsError;
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{Episode, Known, Step, licensing_steps::unless, payments_steps::other_works};
use crate::world::{Call, Person};

impl Episode {
    pub(super) fn open_earnings(&mut self) -> Option<Step> {
        let works: Vec<_> = self.ledger.works.keys().copied().collect();
        let work = *works.choose(&mut self.random)?;
        let mint = self.mint();
        let funder = self.cast.any_person(&mut self.random);
        Some(self.opening_earnings(&funder, work, mint))
    }

    pub(super) fn opening_earnings(&mut self, funder: &Person, work: Pubkey, mint: Pubkey) -> Step {
        self.know(pda::earnings(&work, &mint), Known::Book(work, mint));
        let call = Call::new([earnings::open(&funder.key(), &work, &mint)], &[funder]);
        Step::new("open_earnings", call, move |ledger| ledger.open_earnings(work, mint))
    }

    pub(super) fn collect(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let mint = of.mint;
        let count = of.licenses.len() as u16;
        let ready: Vec<u16> = (0..)
            .zip(&of.licenses)
            .filter(|(_, license)| license.credit() > 0)
            .map(|(index, _)| index)
            .collect();
        if ready.is_empty() && self.random.random_ratio(5, 6) {
            return None;
        }
        let mut named = Vec::new();
        for _ in 0..self.random.random_range(1..=3) {
            let any = self.random.random_range(0..=count);
            named.push(ready.choose(&mut self.random).copied().unwrap_or(any));
        }
        let works: Vec<_> = self.ledger.works.keys().copied().collect();
        let any = *works.choose(&mut self.random)?;
        let licenses = &self.ledger.channels[&channel].licenses;
        let pairs: Vec<_> = named
            .iter()
            .map(|&index| {
                let work = licenses.get(usize::from(index)).map_or(any, |license| license.work);
                (index, work)
            })
            .collect();
        let call = Call::new([sdk::collect(&channel, &mint, &pairs)], &[]);
        Some(Step::new("collect", call, move |ledger| {
            let others = other_works(ledger, &channel, &pairs);
            let closed = |(_, work): &(u16, Pubkey)| !ledger.books.contains_key(&(*work, mint));
            let absent = others && pairs.iter().any(closed);
            unless(absent, ErrorCode::AccountNotInitialized, ledger, |ledger| {
                unless(others, PaymentsError::InvalidEarningsAccounts, ledger, |ledger| {
                    ledger.collect(channel, &named)
                })
            })
        }))
    }

    pub(super) fn pull(&mut self) -> Option<Step> {
        let mint = self.mint();
        let books = self.ledger.books.iter().filter(|((_, other), _)| *other == mint);
        let due: Vec<_> = books
            .flat_map(|((child, _), book)| {
                let due = book.parents.iter().filter(|parent| book.due(parent) > 0);
                due.map(|parent| (*child, parent.work))
            })
            .collect();
        let works: Vec<_> = self.ledger.works.keys().copied().collect();
        let any = (*works.choose(&mut self.random)?, *works.choose(&mut self.random)?);
        let (child, parent) = match due.choose(&mut self.random) {
            Some(pair) if self.random.random_ratio(19, 20) => *pair,
            _ if self.random.random_ratio(1, 6) => any,
            _ => return None,
        };
        if child == parent {
            return None; // one account twice, which sabotage covers
        }
        let call = Call::new([earnings::pull(&child, &parent, &mint)], &[]);
        Some(Step::new("pull", call, move |ledger| ledger.pull(child, parent, mint).map(drop)))
    }

    pub(super) fn claim(&mut self) -> Option<Step> {
        let mint = self.mint();
        let books = self.ledger.books.iter().filter(|((_, other), _)| *other == mint);
        let owing: Vec<_> =
            books.filter(|(_, book)| book.left() > 0).map(|((work, _), _)| *work).collect();
        let works: Vec<_> = self.ledger.works.keys().copied().collect();
        let any = *works.choose(&mut self.random)?;
        let work = match owing.choose(&mut self.random) {
            Some(work) => *work,
            None if self.random.random_ratio(1, 8) => any,
            None => return None,
        };
        let people: Vec<_> = match self.ledger.books.get(&(work, mint)) {
            Some(book) => book.people.keys().copied().collect(),
            None => Vec::new(),
        };
        let mut payees = Vec::new();
        for _ in 0..self.random.random_range(1..=3) {
            let any_key = self.cast.any_person(&mut self.random).key();
            let owed = self.ledger.books.get(&(work, mint));
            let owed = owed.map(|book| {
                people.iter().filter(|person| book.owed(person) > 0).copied().collect::<Vec<_>>()
            });
            let owed = owed.filter(|_| self.random.random_ratio(4, 5)).unwrap_or_default();
            let some = if owed.is_empty() { &people } else { &owed };
            let one = some.choose(&mut self.random).copied();
            payees.push(one.filter(|_| self.random.random_ratio(19, 20)).unwrap_or(any_key));
        }
        if self.random.random_ratio(1, 4) {
            // To an account that the recipient names: here another person's.
            let payee = self.cast.mostly(&payees[0], &mut self.random);
            let friend = self.cast.any_person(&mut self.random).key();
            let currency = self.cast.currency(&mint);
            let to = currency.tokens(&friend);
            let instruction = earnings::claim_to(&work, &payee.key(), &currency, to);
            let (payee, call) = (payee.key(), Call::new([instruction], &[&payee]));
            return Some(Step::new("claim", call, move |ledger| {
                ledger.claim_to(work, mint, payee, friend).map(drop)
            }));
        }
        let hints: Vec<_> =
            payees.iter().map(|payee| (self.random.random_range(0..12), *payee)).collect();
        Some(self.claiming(work, mint, &hints))
    }

    /// Pays recipients, each with the supposed position of its part.
    pub(super) fn claiming(&self, work: Pubkey, mint: Pubkey, payees: &[(u8, Pubkey)]) -> Step {
        let currency = self.cast.currency(&mint);
        let call = Call::new([earnings::claim_batch(&work, payees, &currency)], &[]);
        let payees: Vec<_> = payees.iter().map(|(_, payee)| *payee).collect();
        Step::new("claim", call, move |ledger| ledger.claim(work, mint, &payees).map(drop))
    }

    pub(super) fn apply_split(&mut self) -> Option<Step> {
        let behind: Vec<_> = self
            .ledger
            .books
            .iter()
            .filter(|((work, _), book)| self.ledger.works[work].split_version != book.split_version)
            .map(|(key, _)| *key)
            .collect();
        let all: Vec<_> = self.ledger.books.keys().copied().collect();
        let any = *all.choose(&mut self.random)?;
        let (work, mint) = match behind.choose(&mut self.random) {
            Some(key) => *key,
            None if self.random.random_ratio(1, 8) => any,
            None => return None,
        };
        let funder = self.cast.any_person(&mut self.random);
        Some(self.applying_split(&funder, work, mint))
    }

    pub(super) fn applying_split(&self, funder: &Person, work: Pubkey, mint: Pubkey) -> Step {
        let call = Call::new([earnings::apply_split(&funder.key(), &work, &mint)], &[funder]);
        Step::new("apply_split", call, move |ledger| ledger.apply_split(work, mint))
    }

    pub(super) fn apply_dispute(&mut self) -> Option<Step> {
        let disputed: Vec<_> = self
            .ledger
            .books
            .keys()
            .filter(|(work, _)| self.ledger.works[work].dispute.is_some())
            .copied()
            .collect();
        let all: Vec<_> = self.ledger.books.keys().copied().collect();
        let any = *all.choose(&mut self.random)?;
        let (work, mint) = match disputed.choose(&mut self.random) {
            Some(key) => *key,
            None if self.random.random_ratio(1, 8) => any,
            None => return None,
        };
        Some(self.applying_dispute(work, mint))
    }

    pub(super) fn applying_dispute(&self, work: Pubkey, mint: Pubkey) -> Step {
        let call = Call::new([earnings::apply_dispute(&work, &mint)], &[]);
        Step::new("apply_dispute", call, move |ledger| ledger.apply_dispute(work, mint))
    }
}
