//! Calls of the payments program that settle statements.

use motif_sdk::{
    channel::{self as sdk, Entry, ReceiptsCommitment},
    pda,
    voucher::{SignedVoucher, Voucher},
};
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{Episode, Known, Step};
use crate::{
    model::{Ledger, NEVER, Refused, Settling, exact},
    world::{CLUSTER, Call, Person},
};

/// Statement of a channel with its voucher, and the model's view of both.
#[derive(Clone)]
pub(super) struct Prepared {
    pub signed: SignedVoucher,
    pub bytes: Vec<u8>,
    pub receipts: Option<ReceiptsCommitment>,
    pub opened_slot: u64,
    pub what: Settling,
}

impl Prepared {
    /// Returns the call that proves and settles it; `settler` sends it.
    pub fn call(&self, settler: &Person) -> Call {
        let (operator, bytes) = (&self.what.operator, self.bytes.clone());
        let settle = sdk::settle(&settler.key(), operator, &self.signed, bytes, self.receipts);
        Call::new(settle, &[settler])
    }

    /// Returns the step that settles it; `settler` sends it.
    pub fn step(&self, settler: &Person) -> Step {
        let what = Settling { settler: settler.key(), ..self.what.clone() };
        let (channel, opened_slot) = (self.signed.voucher.channel, self.opened_slot);
        Step::new("settle", self.call(settler), move |ledger| {
            ledger.settle(channel, &of_incarnation(ledger, &channel, opened_slot, &what)?)
        })
    }
}

/// Returns the settlement of a voucher that names the channel opened in this slot.
fn of_incarnation(
    ledger: &Ledger,
    channel: &Pubkey,
    opened_slot: u64,
    what: &Settling,
) -> Result<Settling, Refused> {
    let this = ledger.channel(channel)?.opened_slot == opened_slot;
    let for_this_channel = what.for_this_channel && this;
    Ok(Settling { for_this_channel, ..what.clone() })
}

impl Episode {
    /// Returns the channel's next statement over these licenses and units, for its exact total.
    pub(super) fn exact_statement(
        &self,
        address: &Pubkey,
        entries: &[(u16, u32)],
    ) -> Option<Prepared> {
        let channel = &self.ledger.channels[address];
        let key = self.cast.find(&channel.key_at(self.ledger.now, self.ledger.slot))?;
        let (mut prices, mut bytes) = (0, Vec::new());
        for &(license, units) in entries {
            prices += channel.licenses.get(usize::from(license))?.price_of(units);
            bytes.extend_from_slice(&Entry { license, units }.to_bytes());
        }
        let total = channel.prices() + prices;
        let voucher = Voucher {
            cluster: CLUSTER,
            channel: *address,
            opened_slot: channel.opened_slot,
            statement: channel.statements.len() as u64,
            cumulative: u64::try_from(total + exact::share(total, channel.fee_bps)).ok()?,
            statement_digest: hash(&bytes).to_bytes(),
            expires_at: i64::MAX,
        };
        let receipts = ReceiptsCommitment { root: [0xEC; 32], sum: u64::try_from(prices).ok()? };
        let what = Settling {
            settler: self.ledger.settle_key(&channel.operator),
            operator: channel.operator,
            signer: key.key(),
            for_this_channel: true,
            statement: voucher.statement,
            cumulative: voucher.cumulative,
            expires_at: voucher.expires_at,
            digest: voucher.statement_digest,
            sent_digest: voucher.statement_digest,
            entries: self::entries(&bytes),
            receipts: Some((receipts.root, receipts.sum)),
        };
        let signed = SignedVoucher::sign(voucher, &key.signing_key());
        let (receipts, opened_slot) = (Some(receipts), channel.opened_slot);
        Some(Prepared { signed, bytes, receipts, opened_slot, what })
    }

    fn statement(&mut self) -> Option<Prepared> {
        let licensed: Vec<_> = self
            .ledger
            .channels
            .iter()
            .filter(|(_, channel)| !channel.licenses.is_empty())
            .map(|(address, _)| *address)
            .collect();
        let chosen = licensed.choose(&mut self.random).copied();
        let address = match chosen {
            None if self.random.random_ratio(1, 20) => self.channel()?,
            chosen => chosen?,
        };
        let channel = self.ledger.channels[&address].clone();
        let mut indexes: Vec<u16> = (0..=channel.licenses.len() as u16).collect();
        if self.random.random_ratio(29, 30) && indexes.len() > 1 {
            indexes.pop();
        }
        let count = self.random.random_range(1..=3);
        let mut chosen: Vec<u16> =
            indexes.choose_multiple(&mut self.random, count).copied().collect();
        chosen.sort_unstable();
        match self.random.random_range(0..40) {
            0 => chosen.reverse(),
            1 => chosen.push(chosen[0]),
            2 => chosen.clear(),
            _ => {}
        }
        let mut prices: u128 = 0;
        let mut bytes = Vec::new();
        for license in chosen {
            let units = match self.random.random_range(0..40) {
                0 => 0,
                1 => u32::MAX,
                2..6 => self.random.random_range(1..=1_000),
                _ => self.random.random_range(1..=20),
            };
            let of = channel.licenses.get(usize::from(license));
            prices += of.map_or(0, |of| of.price_of(units));
            bytes.extend_from_slice(&Entry { license, units }.to_bytes());
        }
        if self.random.random_ratio(1, 60) {
            bytes.pop();
        }
        let total = channel.prices() + prices;
        let mut cumulative = (total + exact::share(total, channel.fee_bps)) as u64;
        let mut number = channel.statements.len() as u64;
        let mut opened_slot = channel.opened_slot;
        let mut named = bytes.clone();
        let mut expires_at = i64::MAX;
        match self.random.random_range(0..50) {
            0 => cumulative = cumulative.wrapping_add(1),
            1 => cumulative = cumulative.wrapping_sub(1),
            2 => number = number.wrapping_sub(1),
            3 => number += 1,
            4 => opened_slot += 1,
            5 => named.push(0),
            6 => expires_at = self.ledger.now - 1,
            7..12 => expires_at = self.ledger.now,
            _ => {}
        }
        let cluster = if self.random.random_ratio(1, 60) { [0xC2; 32] } else { CLUSTER };
        let other = self.random.random_ratio(1, 60).then(|| self.some_operator());
        let operator = other.flatten().unwrap_or(channel.operator);
        let settler = self.settler(&channel)?;
        let random = &mut self.random;
        let key = channel.key_at(self.ledger.now, self.ledger.slot);
        let signer = self.cast.mostly(&key, random);
        let sum = prices as u64;
        let sum = if random.random_ratio(1, 30) { sum.wrapping_add(1) } else { sum };
        let receipts = random.random_ratio(9, 10).then_some(([0xEC; 32], sum));
        let voucher = Voucher {
            cluster,
            channel: address,
            opened_slot,
            statement: number,
            cumulative,
            statement_digest: hash(&named).to_bytes(),
            expires_at,
        };
        let signed = SignedVoucher::sign(voucher, &signer.signing_key());
        let what = Settling {
            settler: settler.key(),
            operator,
            signer: signer.key(),
            for_this_channel: cluster == CLUSTER,
            statement: number,
            cumulative,
            expires_at,
            digest: voucher.statement_digest,
            sent_digest: hash(&bytes).to_bytes(),
            entries: entries(&bytes),
            receipts,
        };
        let commitment = receipts.map(|(root, sum)| ReceiptsCommitment { root, sum });
        Some(Prepared { signed, bytes, receipts: commitment, opened_slot, what })
    }

    /// Draws who sends a settlement: mostly the operator's settle key, or the watcher of a closing
    /// channel; sometimes another key of the operator, such as the former or the pending one.
    fn settler(&mut self, channel: &crate::model::Channel) -> Option<Person> {
        let closing = channel.closes_at != NEVER;
        let watcher = channel.watcher.filter(|_| closing && self.random.random_bool(0.5));
        if let Some(watcher) = watcher {
            return Some(self.cast.mostly(&watcher, &mut self.random));
        }
        match self.random.random_range(0..24) {
            0 => Some(self.cast.any_person(&mut self.random)),
            1..4 => {
                let hot = self.ledger.operators[&channel.operator].hot_keys();
                let keys: Vec<_> = hot.chain([channel.operator]).collect();
                keys.choose(&mut self.random).and_then(|key| self.cast.find(key)).cloned()
            }
            _ => {
                let key = self.ledger.settle_key(&channel.operator);
                Some(self.cast.mostly(&key, &mut self.random))
            }
        }
    }

    pub(super) fn settle(&mut self) -> Option<Step> {
        let prepared = self.statement()?;
        let settler = self.cast.find(&prepared.what.settler)?;
        Some(prepared.step(settler))
    }

    /// Settles without a voucher: the voucher key signs the transaction.
    pub(super) fn settle_cosigned(&mut self) -> Option<Step> {
        let Prepared { signed, bytes, receipts, opened_slot, what } = self.statement()?;
        let SignedVoucher { voucher, key, .. } = signed;
        let channel = voucher.channel;
        let (settler, signer) = (self.cast.find(&what.settler)?, self.cast.find(&key)?);
        let (sender, operator) = (settler.key(), what.operator);
        let settle = sdk::settle_cosigned(&sender, &operator, &key, &voucher, bytes, receipts);
        let call = Call::new([settle], &[settler, signer]);
        Some(Step::new("settle_cosigned", call, move |ledger| {
            // The transaction determines cluster, digest and expiry.
            let for_this_channel = ledger.channel(&channel)?.opened_slot == opened_slot;
            let (digest, expires_at) = (what.sent_digest, i64::MAX);
            let what = Settling { for_this_channel, digest, expires_at, ..what.clone() };
            ledger.settle(channel, &what)
        }))
    }

    /// Draws the next of the calls that buffer and settle a statement.
    pub(super) fn settle_buffered(&mut self) -> Option<Step> {
        let keys: Vec<_> = self.prepared.keys().copied().collect();
        let key = match keys.choose(&mut self.random) {
            Some(key) if self.random.random_ratio(5, 6) => *key,
            _ => {
                let prepared = self.statement()?;
                let key = (prepared.signed.voucher.channel, prepared.what.settler);
                self.prepared.insert(key, prepared);
                key
            }
        };
        let (channel, settler) = key;
        let settler = self.cast.find(&settler)?.clone();
        let prepared = self.prepared[&key].clone();
        let staged = self.ledger.staged.get(&key);
        if staged.is_none() {
            let open = sdk::buffer_statement(&settler.key(), &channel, &[]).remove(0);
            let call = Call::new([open], &[&settler]);
            self.know(
                pda::statement_buffer(&channel, &settler.key()),
                Known::StatementBuffer(key.0, key.1),
            );
            return Some(Step::new("create_statement_buffer", call, move |ledger| {
                ledger.create_statement_buffer(key.0, key.1)
            }));
        }
        if staged.is_some_and(|staged| staged.len() > prepared.bytes.len()) {
            // The buffer holds another statement and must be closed first.
            let call =
                Call::new([sdk::close_statement_buffer(&settler.key(), &channel)], &[&settler]);
            return Some(Step::new("close_statement_buffer", call, move |ledger| {
                ledger.close_statement_buffer(key.0, key.1)
            }));
        }
        let complete = staged == Some(&prepared.bytes);
        if !complete && self.random.random_ratio(19, 20) {
            return self.stage_for(&settler, channel, 0, prepared.bytes);
        }
        self.prepared.remove(&key);
        let Prepared { signed, receipts, opened_slot, what, .. } = prepared;
        let settle = sdk::settle_buffered(&settler.key(), &what.operator, &signed, receipts);
        let call = Call::new(settle, &[&settler]);
        Some(Step::new("settle_buffered", call, move |ledger| {
            let what = of_incarnation(ledger, &channel, opened_slot, &what)?;
            ledger.settle_buffered(channel, &what, entries)
        }))
    }

    /// Writes a buffer that settles nothing.
    pub(super) fn write_statement_buffer(&mut self) -> Option<Step> {
        let staged: Vec<_> = self.ledger.staged.keys().copied().collect();
        let &(channel, settler) = staged.choose(&mut self.random)?;
        let settler = self.cast.find(&settler)?.clone();
        let offset = self.random.random_range(0..20);
        let bytes = vec![0x5A; self.random.random_range(0..30)];
        self.stage_for(&settler, channel, offset, bytes)
    }

    fn stage_for(
        &mut self,
        settler: &Person,
        channel: Pubkey,
        offset: u32,
        bytes: Vec<u8>,
    ) -> Option<Step> {
        let instruction =
            sdk::write_statement_buffer(&settler.key(), &channel, offset, bytes.clone());
        let (caller, call) = (settler.key(), Call::new([instruction], &[settler]));
        Some(Step::new("write_statement_buffer", call, move |ledger| {
            ledger.stage(channel, caller, offset, &bytes)
        }))
    }
}

/// Parses a statement as docs/formats.md describes it: returns the entries up to the first invalid
/// one, and whether all are valid.
fn entries(bytes: &[u8]) -> (Vec<(u16, u32)>, bool) {
    let mut entries: Vec<(u16, u32)> = Vec::new();
    if bytes.is_empty() || !bytes.len().is_multiple_of(6) {
        return (entries, false);
    }
    for entry in bytes.chunks_exact(6) {
        let license = u16::from_le_bytes([entry[0], entry[1]]);
        let units = u32::from_le_bytes([entry[2], entry[3], entry[4], entry[5]]);
        let ascending = entries.last().is_none_or(|(last, _)| *last < license);
        if !ascending || units == 0 {
            return (entries, false);
        }
        entries.push((license, units));
    }
    (entries, true)
}
