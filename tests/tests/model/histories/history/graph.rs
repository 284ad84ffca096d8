//! Creation of a random graph.

use std::collections::BTreeMap;

use anchor_lang::AccountSerialize;
use licensing::{Consent, Fingerprint, Parent, Share, WorkKind, WorkStatus};
use motif_sdk::pda;
use motif_tests::{
    model::{self, Book, License, NEVER, Status},
    world::World,
};
use payments::{Channel, Earnings, Part};
use rand::{Rng, seq::IndexedRandom};
use solana_account::Account;
use solana_pubkey::Pubkey;

use super::History;
use crate::histories::stage::LAMPORTS;

impl History<'_> {
    /// Draws shares of `whole`, each above zero, for this many people.
    pub(super) fn shares(&mut self, people: usize, whole: u16) -> Vec<u16> {
        let mut left = whole - people as u16;
        let mut shares = Vec::with_capacity(people);
        for position in 0..people {
            let last = position + 1 == people;
            let extra = match self.random.random_range(0..3) {
                _ if last => left,
                0 => 0,
                1 => self.random.random_range(0..=left),
                _ => self.random.random_range(0..=left / (people - position) as u16),
            };
            left -= extra;
            shares.push(1 + extra);
        }
        shares
    }

    pub(super) fn split(&mut self) -> Vec<(Pubkey, u16)> {
        let widest = self.people.len().min(32);
        let width = match self.random.random_range(0..8) {
            0 => widest,
            1 => 1,
            _ => self.random.random_range(1..=widest.min(6)),
        };
        let people: Vec<_> =
            self.people.choose_multiple(&mut self.random, width).copied().collect();
        people.into_iter().zip(self.shares(width, 10_000)).collect()
    }

    /// Writes a new work with random earlier works as parents.
    pub(super) fn register(&mut self, number: usize) {
        let most = number.min(8);
        let count = match self.random.random_range(0..5) {
            0 => 0,
            1 => most,
            _ => self.random.random_range(0..=most.min(3)),
        };
        let earlier: Vec<usize> = (0..number).collect();
        let chosen: Vec<_> = earlier.choose_multiple(&mut self.random, count).copied().collect();
        let total = match self.random.random_range(0..10) {
            0 => 10_000,
            _ => self.random.random_range(8..=9_000),
        };
        let mut parents = Vec::new();
        if count > 0 {
            let shares = self.shares(count, total);
            for (earlier, bps) in chosen.into_iter().zip(shares) {
                // Sometimes a parent with a share of zero.
                let bps = if self.random.random_ratio(1, 20) { 0 } else { bps };
                parents.push((self.works[earlier].0, bps));
            }
        }
        let split = self.split();
        let address = self.address(b"work", number);
        let person = self.people[0];
        let work = licensing::Work {
            version: licensing::Work::VERSION,
            bump: 255,
            kind: WorkKind::Image,
            status: WorkStatus::Active,
            latest_terms: 0,
            split_version: 0,
            verdict_version: 0,
            disputes: 0,
            verdict_dispute: 0,
            verdict_terms: 0,
            verdict_keeps_recipients: false,
            withdrawn_at: NEVER,
            registered_at: World::NOW,
            creator: person,
            owner: person,
            content_digest: [1; 32],
            fingerprint: Fingerprint { scheme: 0, bits: [0; 32] },
            metadata_digest: [0; 32],
            consent: None::<Consent>,
            certificate: None,
            pending_owner: None,
            inherited: licensing::Inherited::default(),
            model: None,
            title: String::new(),
            metadata_uri: String::new(),
            parents: parents
                .iter()
                .map(|&(work, share_bps)| Parent { work, share_bps, terms_number: 0 })
                .collect(),
            split: split
                .iter()
                .map(|&(recipient, share_bps)| Share { recipient, share_bps })
                .collect(),
        };
        self.ledger.works.insert(
            address,
            model::Work {
                creator: person,
                owner: person,
                kind: WorkKind::Image,
                status: Status::Active,
                latest_terms: 0,
                terms: BTreeMap::new(),
                split_version: 0,
                verdict_version: 0,
                disputes: 0,
                verdict_dispute: 0,
                verdict_terms: 0,
                verdict_keeps_recipients: false,
                withdrawn_at: None,
                consent: None,
                pending_owner: None,
                inherited: model::Inherited::default(),
                parents,
                split,
                change: None,
                dispute: None,
                certified: false,
                title: String::new(),
                metadata: (String::new(), [0; 32]),
            },
        );
        self.works.push((address, work));
        self.write_work(number);
    }

    pub(super) fn write_work(&mut self, number: usize) {
        let (address, work) = &self.works[number];
        let mut data = Vec::new();
        work.try_serialize(&mut data).expect("a work");
        let account =
            Account { lamports: LAMPORTS, data, owner: licensing::ID, ..Account::default() };
        self.stage.svm.set_account(*address, account).expect("any account can be set");
    }

    /// Writes a channel that licenses every work and has charged nothing.
    pub(super) fn open_channel(&mut self, currency: usize) {
        let (address, mint) = (self.address(b"channel", currency), self.mint(currency));
        let header: Channel = Channel {
            version: Channel::VERSION,
            mint,
            closes_at: NEVER,
            rotates_at: NEVER,
            ..bytemuck::Zeroable::zeroed()
        };
        let mut data = Channel::DISCRIMINATOR.to_vec();
        data.extend_from_slice(bytemuck::bytes_of(&header));
        let mut licenses = Vec::new();
        for (work, _) in &self.works {
            let license = payments::License {
                work: *work,
                units_left: u64::MAX,
                daily_units: u64::MAX,
                revenue_left: u64::MAX,
                expires_at: NEVER,
                ..bytemuck::Zeroable::zeroed()
            };
            data.extend_from_slice(bytemuck::bytes_of(&license));
            licenses.push(License {
                work: *work,
                terms_number: 0,
                price: 0,
                free: 0,
                most_units: None,
                most_daily: None,
                most_revenue: None,
                expires_at: NEVER,
                notice_seconds: 0,
                quota_units: None,
                quota_price: 0,
                quota_revenue: None,
                first_day: 0,
                days: Vec::new(),
                units: 0,
                prices: 0,
                upfront: 0,
                collected: 0,
            });
        }
        let account =
            Account { lamports: LAMPORTS, data, owner: payments::ID, ..Account::default() };
        self.stage.svm.set_account(address, account).expect("any account can be set");
        self.ledger.channels.insert(
            address,
            model::Channel {
                payer: Pubkey::default(),
                operator: Pubkey::default(),
                watcher: None,
                mint,
                salt: 0,
                opened_slot: 0,
                fee_bps: 0,
                grace_seconds: 0,
                keys: vec![(i64::MIN, 0, Pubkey::default())],
                deposited: 0,
                fees_claimed: 0,
                refunded: None,
                closes_at: NEVER,
                closes_slot: 0,
                payer_closes: false,
                self_metered: false,
                licenses,
                statements: Vec::new(),
            },
        );
        self.channels.push(address);
    }

    /// Opens earnings: by the instruction for one work in eight, otherwise by writing the same
    /// account.
    pub(super) fn open_earnings(&mut self, number: usize, currency: usize) {
        let (work, mint) = (self.works[number].0, self.mint(currency));
        let by_instruction = self.random.random_ratio(1, 8);
        self.ledger.open_earnings(work, mint).expect("a new work");
        let book = &self.ledger.books[&(work, mint)];
        if !by_instruction {
            let address = self.address(b"earnings", number * 2 + currency);
            let account = Account {
                lamports: LAMPORTS,
                data: empty_earnings(&work, &mint, book),
                owner: payments::ID,
                ..Account::default()
            };
            self.stage.svm.set_account(address, account).expect("any account can be set");
            self.earnings.insert((work, mint), address);
            return;
        }
        let address = pda::earnings(&work, &mint);
        let host = self.stage.host.key();
        let opened = self.send(motif_sdk::earnings::open(&host, &work, &mint));
        assert_eq!(opened, Ok(()), "{}", self.place());
        self.earnings.insert((work, mint), address);
        let written = empty_earnings(&work, &mint, &self.ledger.books[&(work, mint)]);
        let mut data = self.stage.svm.get_account(&address).unwrap().data;
        data[9] = 0; // the bump, which no instruction reads
        assert_eq!(data, written, "{}: earnings as `open_earnings` leaves them", self.place());
    }
}

/// Returns an empty earnings account.
fn empty_earnings(work: &Pubkey, mint: &Pubkey, book: &Book) -> Vec<u8> {
    let parents_bps: u16 = book.parents.iter().map(|parent| parent.bps).sum();
    let header = Earnings {
        version: Earnings::VERSION,
        parents: book.parents.len() as u8, // at most 8
        split_version: book.split_version,
        work: *work,
        mint: *mint,
        own_bps: 10_000 - parents_bps,
        ..bytemuck::Zeroable::zeroed()
    };
    let parents = book.parents.iter().map(|parent| (parent.work, parent.bps));
    let parts = parents.chain(book.split.iter().copied());
    let mut data = Earnings::DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&header));
    for (key, share_bps) in parts {
        let part = Part { key, share_bps, ..Part::default() };
        data.extend_from_slice(bytemuck::bytes_of(&part));
    }
    data
}
