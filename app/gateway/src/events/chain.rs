//! Events of the chain: what differs from the values that were told.

use std::collections::HashMap;

use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    client::awaited,
    earnings::EarningsAccount,
    gateway::wire::{Address, Amount, DisputeState, Event, EventKind},
    licensing::{Work, WorkStatus, split_digest},
    record::ChainRecord,
};

use super::{id::id, readers::Readers};
use crate::store::{Told, ToldEvent, ToldSoFar};

const SECONDS_PER_DAY: i64 = 86_400;

/// What decides about events of the chain.
pub struct Conditions<'a> {
    /// Operator of the channels whose payers are warned.
    pub operator: Pubkey,
    /// Part of a deposit below which a channel is low, basis points.
    pub low_bps: u16,
    /// Time before an end at which it is told, days.
    pub notice_days: u32,
    /// Present unix second.
    pub now: i64,
    /// What this process knows to be left of channels, less than on chain.
    pub left: &'a HashMap<Pubkey, u64>,
}

/// Compares a read of the chain with what was told before.
pub struct Comparison<'a> {
    record: &'a ChainRecord,
    readers: &'a Readers,
    so_far: &'a ToldSoFar,
    conditions: Conditions<'a>,
    told: Told,
}

impl<'a> Comparison<'a> {
    /// Returns what is new. What happened before the first read is not told.
    pub fn run(
        record: &'a ChainRecord,
        readers: &'a Readers,
        so_far: &'a ToldSoFar,
        conditions: Conditions<'a>,
    ) -> Told {
        let told = Told { is_chain_read: true, ..Told::default() };
        let mut comparison = Self { record, readers, so_far, conditions, told };
        for account in &record.earnings {
            comparison.claims(account);
        }
        for (address, account) in &record.channels {
            comparison.licenses(address, account);
            if account.channel.operator == comparison.conditions.operator {
                comparison.deposit(address, account);
            }
        }
        for (address, work) in &record.works {
            comparison.dispute(address, work);
            comparison.consent(address, work);
        }
        comparison.splits();
        comparison.told
    }

    /// Returns the value before `value`, which is told from now on; `None` if it has not changed.
    fn changed(&mut self, name: [u8; 32], value: i64) -> Option<i64> {
        let before = self.so_far.marks.get(&name).copied();
        if before == Some(value) || (before.is_none() && value == 0) {
            return None;
        }
        self.told.marks.push((name, value));
        Some(before.unwrap_or(0))
    }

    /// Returns the value before, if it is lower. What the first read finds is not told.
    fn raised(&mut self, name: [u8; 32], value: u64) -> Option<u64> {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        let before = self.changed(name, value).filter(|before| *before < value)?;
        self.so_far.is_chain_read.then(|| u64::try_from(before).unwrap_or(0))
    }

    fn tell(&mut self, event: Event, readers: Vec<[u8; 32]>) {
        self.told.events.push(ToldEvent { event, readers });
    }

    fn claims(&mut self, account: &EarningsAccount) {
        let (work, mint) = (account.earnings.work, account.earnings.mint);
        for part in &account.recipients {
            let (key, taken) = (part.key.to_bytes(), part.taken.to_le_bytes());
            let of: [&[u8]; 3] = [work.as_array(), mint.as_array(), &key];
            let Some(before) = self.raised(id("claimed", &of), part.taken) else { continue };
            let id = id("claimed", &[of[0], of[1], of[2], &taken]);
            let event = Event {
                work: Some(Address(work)),
                amount: Some(Amount(part.taken.saturating_sub(before))),
                currency: Some(Address(mint)),
                person: Some(Address(part.key)),
                ..Event::new(id, self.conditions.now, EventKind::Claimed)
            };
            let owner = self.record.work(&work).map(|work| work.owner.to_bytes());
            self.tell(event, std::iter::once(key).chain(owner).collect());
        }
    }

    fn licenses(&mut self, address: &Pubkey, account: &ChannelAccount) {
        let header = &account.channel;
        let (of, opened) = (address.to_bytes(), header.opened_slot.to_le_bytes());
        let count = account.licenses.len();
        let name = id("accepted", &[&of, &opened]);
        let Some(before) = self.raised(name, count as u64) else { return };
        let before = usize::try_from(before).unwrap_or(count);
        for (index, license) in account.licenses.iter().enumerate().skip(before) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let event = Event {
                work: Some(Address(license.work)),
                channel: Some(Address(*address)),
                currency: Some(Address(header.mint)),
                person: Some(Address(header.payer)),
                license: Some(index),
                ..Event::new(
                    id("accepted", &[&of, &opened, &index.to_le_bytes()]),
                    self.conditions.now,
                    EventKind::Accepted,
                )
            };
            let mut readers = self.readers.of_work(&license.work);
            readers.extend([of, header.payer.to_bytes()]);
            self.tell(event, readers);
        }
    }

    /// Tells a payer once for each deposit that little of it is left, and once that the channel ends.
    fn deposit(&mut self, address: &Pubkey, account: &ChannelAccount) {
        let header = &account.channel;
        let (of, opened) = (address.to_bytes(), header.opened_slot.to_le_bytes());
        let left = header.free().unwrap_or(0);
        let left = self.conditions.left.get(address).map_or(left, |known| left.min(*known));
        let low = u128::from(header.deposited) * u128::from(self.conditions.low_bps) / 10_000;
        let is_low = header.deposited > 0 && u128::from(left) < low;
        let deposited = i64::try_from(header.deposited).unwrap_or(i64::MAX);
        let ends = self.ends_soon(header.closes_at).then_some(header.closes_at);
        let warnings = [("low", is_low.then_some(deposited)), ("ends", ends)];
        for (word, value) in warnings {
            let Some(value) = value else { continue };
            if self.changed(id(word, &[&of, &opened]), value).is_none() {
                continue;
            }
            let event = Event {
                channel: Some(Address(*address)),
                amount: Some(Amount(left)),
                currency: Some(Address(header.mint)),
                person: Some(Address(header.payer)),
                ends_at: ends,
                ..Event::new(
                    id(word, &[&of, &opened, &value.to_le_bytes()]),
                    self.conditions.now,
                    EventKind::ChannelLow,
                )
            };
            self.tell(event, vec![of, header.payer.to_bytes()]);
        }
    }

    /// Tells the last step of a work's disputes: each has an opening and an end.
    fn dispute(&mut self, address: &Pubkey, work: &Work) {
        let is_open = work.status == WorkStatus::Disputed;
        let steps = u64::from(work.disputes) * 2 - u64::from(is_open && work.disputes > 0);
        let of = address.to_bytes();
        if self.raised(id("disputed", &[&of]), steps).is_none() {
            return;
        }
        let open = self.record.disputes.iter().find(|open| is_open && open.work == *address);
        let state = match is_open {
            true => DisputeState::Opened,
            false if work.verdict_dispute == work.disputes => DisputeState::Upheld,
            false => DisputeState::Rejected,
        };
        let event = Event {
            work: Some(Address(*address)),
            person: open.map(|open| Address(open.claimant)),
            dispute: Some(state),
            ends_at: open.map(|open| open.deadline),
            ..Event::new(
                id("disputed", &[&of, &steps.to_le_bytes()]),
                self.conditions.now,
                EventKind::Disputed,
            )
        };
        let mut readers = self.readers.of_work(address);
        readers.extend(open.map(|open| open.claimant.to_bytes()));
        self.tell(event, readers);
    }

    fn consent(&mut self, address: &Pubkey, work: &Work) {
        let Some(consent) = work.consent else { return };
        let Some(end) = consent.expires_at.filter(|end| self.ends_soon(*end)) else { return };
        let of = address.to_bytes();
        if self.changed(id("consent", &[&of]), end).is_none() {
            return;
        }
        let event = Event {
            work: Some(Address(*address)),
            person: Some(Address(consent.person)),
            ends_at: Some(end),
            ..Event::new(
                id("consent", &[&of, &end.to_le_bytes()]),
                self.conditions.now,
                EventKind::ConsentEnding,
            )
        };
        self.tell(event, vec![work.owner.to_bytes(), consent.person.to_bytes()]);
    }

    /// Tells each recipient whose consent a complete proposal needs, once for each proposed split.
    fn splits(&mut self) {
        let record = self.record;
        for change in &record.split_changes {
            let Some(work) = record.work(&change.work) else { continue };
            let is_open = change.expires_at.is_none_or(|end| end >= self.conditions.now);
            if change.split.len() != usize::from(change.recipients) || !is_open {
                continue;
            }
            let of = change.work.to_bytes();
            let (version, digest) =
                (change.split_version.to_le_bytes(), split_digest(&change.split));
            for recipient in awaited(change, work) {
                let id = id("split", &[&of, &version, &digest, &recipient.to_bytes()]);
                if self.changed(id, 1).is_none() {
                    continue;
                }
                let event = Event {
                    work: Some(Address(change.work)),
                    person: Some(Address(recipient)),
                    ends_at: change.expires_at,
                    ..Event::new(id, self.conditions.now, EventKind::SplitWaiting)
                };
                self.tell(event, vec![recipient.to_bytes()]);
            }
        }
    }

    fn ends_soon(&self, end: i64) -> bool {
        let notice = i64::from(self.conditions.notice_days).saturating_mul(SECONDS_PER_DAY);
        (self.conditions.now..=self.conditions.now.saturating_add(notice)).contains(&end)
    }
}
