//! Calls of the payments program about channels.

use licensing::Use;
use motif_sdk::{
    channel::{
        self as sdk, AcceptTermsArgs, Acceptance, Cosigners, Entry, OpenChannelArgs, Quota,
        ReceiptsCommitment,
    },
    pda,
    voucher::{SignedVoucher, Voucher},
};
use payments::PaymentsError;
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{
    Episode, Known, Step,
    licensing_steps::{USES, distinct, unless},
};
use crate::{
    model::{Accepting, Ledger, Opening, Settling, exact},
    world::{CLUSTER, Call, Person},
};

/// Statement of a channel with its voucher, and the model's view of both.
#[derive(Clone)]
pub(super) struct Prepared {
    signed: SignedVoucher,
    bytes: Vec<u8>,
    receipts: Option<ReceiptsCommitment>,
    opened_slot: u64,
    what: Settling,
}

impl Episode {
    pub(super) fn channel(&mut self) -> Option<Pubkey> {
        let channels: Vec<_> = self.ledger.channels.keys().copied().collect();
        channels.choose(&mut self.random).copied()
    }

    pub(super) fn mint(&mut self) -> Pubkey {
        let mints: Vec<_> = self.cast.currencies.iter().map(|currency| currency.mint).collect();
        mints[usize::from(self.random.random_ratio(1, 3))]
    }

    pub(super) fn create_vault(&mut self) -> Option<Step> {
        let mint = self.mint();
        let currency = self.cast.currency(&mint);
        let funder = self.cast.any_person(&mut self.random);
        let call = Call::new([sdk::create_vault(&funder.key(), &currency)], &[&funder]);
        Some(Step::new("create_vault", call, move |ledger| ledger.create_vault(mint)))
    }

    pub(super) fn open_channel(&mut self) -> Option<Step> {
        if self.ledger.channels.len() >= 6 {
            return None;
        }
        let (payer, operator) =
            (self.cast.any_person(&mut self.random), self.cast.any_person(&mut self.random));
        let mint = self.mint();
        let currency = self.cast.currency(&mint);
        let voucher_key = match self.random.random_range(0..15) {
            0 => payer.key(),
            1 => pda::vault(&mint),
            _ => self.cast.key(&mut self.random).key(),
        };
        let random = &mut self.random;
        let args = OpenChannelArgs {
            salt: random.random_range(0..2),
            voucher_key,
            operator_fee_bps: random.random_range(0..=5_200),
            grace_seconds: random.random_range(800..=2_000_000),
            deposit: match random.random_range(0..15) {
                0 => 0,
                1 => u64::MAX,
                _ => random.random_range(1..=2_000_000),
            },
            watcher: None,
        };
        let watched = random.random_ratio(1, 3);
        let watcher = watched.then(|| self.cast.any_person(&mut self.random).key());
        let args = OpenChannelArgs { watcher, ..args };
        let address = pda::channel(&payer.key(), &operator.key(), &mint, args.salt);
        self.know(address, Known::Channel);
        let what = Opening {
            payer: payer.key(),
            operator: operator.key(),
            mint,
            salt: args.salt,
            voucher_key,
            fee_bps: args.operator_fee_bps,
            grace_seconds: args.grace_seconds,
            deposit: args.deposit,
            watcher,
        };
        let instruction = sdk::open(&payer.key(), &operator.key(), &currency, args);
        let call = Call::new([instruction], &[&payer]);
        Some(Step::new("open_channel", call, move |ledger| ledger.open_channel(address, &what)))
    }

    pub(super) fn top_up(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let (payer, mint) = (of.payer, of.mint);
        let payer = self.cast.mostly(&payer, &mut self.random);
        let amount = match self.random.random_range(0..20) {
            0 => 0,
            1 => u64::MAX,
            _ => self.random.random_range(1..=1_000_000),
        };
        let currency = self.cast.currency(&mint);
        let instruction = sdk::top_up(&payer.key(), &channel, &currency, amount);
        let (caller, call) = (payer.key(), Call::new([instruction], &[&payer]));
        Some(Step::new("top_up", call, move |ledger| ledger.top_up(caller, channel, amount)))
    }

    pub(super) fn accept(&mut self) -> Option<Step> {
        let (work, number) = self.some_terms()?;
        let terms = self.ledger.works[&work].terms[&number].clone();
        let in_currency: Vec<_> = self
            .ledger
            .channels
            .iter()
            .filter(|(_, channel)| channel.mint == terms.mint)
            .filter(|(_, channel)| channel.closes_at == crate::model::NEVER)
            .map(|(address, _)| *address)
            .collect();
        let fitting = in_currency.choose(&mut self.random).copied();
        let channel = fitting.filter(|_| self.random.random_ratio(19, 20));
        let channel = channel.or_else(|| self.channel())?;
        let payer = self.ledger.channels[&channel].payer;
        let payer = self.cast.mostly(&payer, &mut self.random);
        let licensed_use: Use = *USES[..2].choose(&mut self.random)?;
        let offered = terms.prices.iter().find(|(other, _)| *other == licensed_use);
        let price = offered.map_or(0, |(_, price)| *price);
        let random = &mut self.random;
        let quota = |random: &mut rand::rngs::StdRng, cap: Option<u64>| {
            let most = cap.unwrap_or(100);
            match random.random_range(0..12) {
                0 => 0,
                1 => u64::MAX,
                _ => random.random_range(0..=most / 2 + 1),
            }
        };
        let (units, revenue) = (quota(random, terms.total_units), quota(random, terms.revenue));
        let mut digest = terms.digest;
        if random.random_ratio(1, 25) {
            digest[0] ^= 1;
        }
        let max_price = if random.random_ratio(1, 25) { price.saturating_sub(1) } else { price };
        let consent_end = self.ledger.works[&work].consent_end();
        let end = [terms.expires_at, consent_end].into_iter().flatten().min();
        let min_expires_at = match (end, random.random_range(0..12)) {
            (None, _) | (_, 0..6) => i64::MIN,
            (Some(end), 6) => end.saturating_add(1),
            (Some(end), _) => end,
        };
        let shared_caps = terms.shared_caps() != random.random_ratio(1, 40);
        let per_licensee = terms.once_each() != random.random_ratio(1, 40);
        let deposits = terms.upfront_fee > 0 || terms.shared_caps();
        let fee_accounts = deposits != random.random_ratio(1, 40);
        let wanted = terms.approval_required;
        let owner = self.ledger.works[&work].owner;
        let approval = terms.approvals.contains_key(&(payer.key(), false));
        let approver = (wanted && !approval || self.random.random_ratio(1, 30))
            .then(|| self.cast.mostly(&owner, &mut self.random));
        let what = Accepting {
            payer: payer.key(),
            work,
            terms: number,
            licensed_use,
            max_price,
            digest,
            min_expires_at,
            quota_units: units,
            quota_revenue: revenue,
            approver: approver.as_ref().map(Person::key),
            approval,
            issuance: shared_caps,
            licensee: per_licensee,
            fee_accounts,
        };
        Some(self.accepting(channel, payer, approver, what))
    }

    /// Accepts terms on a channel; `payer` and `approver` sign.
    pub(super) fn accepting(
        &self,
        channel: Pubkey,
        payer: Person,
        approver: Option<Person>,
        what: Accepting,
    ) -> Step {
        let mint = self.ledger.works[&what.work].terms[&what.terms].mint;
        let acceptance = Acceptance {
            work: what.work,
            terms_number: what.terms,
            approver: what.approver,
            approval: what.approval,
            per_licensee: what.licensee,
            shared_caps: what.issuance,
            deposit_currency: what.fee_accounts.then(|| self.cast.currency(&mint)),
        };
        let args = AcceptTermsArgs {
            licensed_use: what.licensed_use,
            max_price: what.max_price,
            terms_digest: what.digest,
            quota: Quota { units: what.quota_units, revenue: what.quota_revenue },
            min_expires_at: what.min_expires_at,
        };
        let instruction = sdk::accept_terms(&payer.key(), &channel, &acceptance, args);
        let mut signers = vec![payer];
        signers.extend(approver);
        let call = Call::new([instruction], &distinct(&signers));
        Step::new("accept_terms", call, move |ledger| ledger.accept(channel, &what))
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
        let random = &mut self.random;
        let mut expires_at = i64::MAX;
        match random.random_range(0..50) {
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
        let cluster = if random.random_ratio(1, 60) { [0xC2; 32] } else { CLUSTER };
        let closing = channel.closes_at != crate::model::NEVER;
        let watcher = channel.watcher.filter(|_| closing && random.random_bool(0.5));
        let settler = match watcher {
            Some(watcher) => self.cast.mostly(&watcher, random),
            None if random.random_ratio(1, 12) => self.cast.any_person(random),
            None => self.cast.mostly(&channel.operator, random),
        };
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

    pub(super) fn settle(&mut self) -> Option<Step> {
        let Prepared { signed, bytes, receipts, opened_slot, what } = self.statement()?;
        let channel = signed.voucher.channel;
        let settler = self.cast.people.iter().find(|person| person.key() == what.settler)?;
        let operator = self.ledger.channels[&channel].operator;
        let settle = sdk::settle(&settler.key(), &operator, &signed, bytes, receipts);
        let call = Call::new(settle, &[settler]);
        Some(Step::new("settle", call, move |ledger| {
            let this = ledger.channel(&channel)?.opened_slot == opened_slot;
            let for_this_channel = what.for_this_channel && this;
            ledger.settle(channel, &Settling { for_this_channel, ..what.clone() })
        }))
    }

    /// Settles without a voucher: the voucher key signs the transaction.
    pub(super) fn settle_cosigned(&mut self) -> Option<Step> {
        let Prepared { signed, bytes, receipts, opened_slot, what } = self.statement()?;
        let SignedVoucher { voucher, key, .. } = signed;
        let channel = voucher.channel;
        let cast = || self.cast.people.iter().chain(&self.cast.keys);
        let person = |key| cast().find(|person| person.key() == key);
        let (settler, signer) = (person(what.settler)?, person(key)?);
        let operator = self.ledger.channels[&channel].operator;
        let settler_key = settler.key();
        let settle = sdk::settle_cosigned(&settler_key, &operator, &key, &voucher, bytes, receipts);
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
        let settler = self.cast.people.iter().find(|person| person.key() == settler)?.clone();
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
        let operator = self.ledger.channels.get(&channel)?.operator;
        let settle = sdk::settle_buffered(&settler.key(), &operator, &signed, receipts);
        let call = Call::new(settle, &[&settler]);
        Some(Step::new("settle_buffered", call, move |ledger| {
            let this = ledger.channel(&channel)?.opened_slot == opened_slot;
            let for_this_channel = what.for_this_channel && this;
            let what = Settling { for_this_channel, ..what.clone() };
            ledger.settle_buffered(channel, &what, entries)
        }))
    }

    /// Writes a buffer that settles nothing.
    pub(super) fn write_statement_buffer(&mut self) -> Option<Step> {
        let staged: Vec<_> = self.ledger.staged.keys().copied().collect();
        let &(channel, settler) = staged.choose(&mut self.random)?;
        let settler = self.cast.people.iter().find(|person| person.key() == settler)?.clone();
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

    pub(super) fn apply_withdrawal(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let licenses = &self.ledger.channels[&channel].licenses;
        let withdrawn = |work: &Pubkey| self.ledger.works[work].withdrawn_at.is_some();
        let pairs: Vec<_> = (0..)
            .zip(licenses)
            .filter(|(_, license)| withdrawn(&license.work))
            .map(|(index, license): (u16, _)| (index, license.work))
            .collect();
        let all: Vec<_> =
            (0..).zip(licenses).map(|(index, license)| (index, license.work)).collect();
        let any = all.choose(&mut self.random).copied()?;
        let pair = pairs.choose(&mut self.random).copied().unwrap_or(any);
        Some(self.applying_withdrawal(channel, pair))
    }

    /// Applies the withdrawal of a work to a license, given by its index and work.
    pub(super) fn applying_withdrawal(&self, channel: Pubkey, license: (u16, Pubkey)) -> Step {
        let call = Call::new([sdk::apply_withdrawal(&channel, &[license])], &[]);
        Step::new("apply_withdrawal", call, move |ledger| {
            let others = other_works(ledger, &channel, &[license]);
            unless(others, PaymentsError::InvalidWorkAccounts, ledger, |ledger| {
                ledger.apply_withdrawal(channel, &[license.0])
            })
        })
    }

    pub(super) fn release_quota(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let (payer, operator) = (of.payer, of.operator);
        let holding: Vec<_> = (0..)
            .zip(&of.licenses)
            .filter(|(_, license)| license.holds_quota())
            .map(|(index, license)| (index, license.work, license.terms_number))
            .collect();
        let all: Vec<_> = (0..)
            .zip(&of.licenses)
            .map(|(index, license)| (index, license.work, license.terms_number))
            .collect();
        let any = all.choose(&mut self.random).copied()?;
        let chosen = holding.choose(&mut self.random).copied();
        let (index, work, terms) =
            chosen.filter(|_| self.random.random_ratio(9, 10)).unwrap_or(any);
        let caller = self.cast.mostly(&operator, &mut self.random);
        let agrees = self.random.random_ratio(2, 3);
        let cosigner = agrees.then(|| self.cast.mostly(&payer, &mut self.random));
        let party = cosigner.as_ref().map(Person::key);
        let instruction = sdk::release_quota(&caller.key(), party, &channel, index, &work, terms);
        let mut signers = vec![caller];
        signers.extend(cosigner);
        let keys: Vec<_> = signers.iter().map(Person::key).collect();
        let call = Call::new([instruction], &distinct(&signers));
        Some(Step::new("release_quota", call, move |ledger| {
            ledger.release_quota(&keys, channel, index, (work, terms))
        }))
    }

    pub(super) fn rotate_voucher_key(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let (payer, operator) = (of.payer, of.operator);
        let payer = self.cast.mostly(&payer, &mut self.random);
        let agrees = self.random.random_ratio(1, 2);
        let operator = agrees.then(|| self.cast.mostly(&operator, &mut self.random));
        let key = match self.random.random_range(0..12) {
            0 => payer.key(),
            1 => channel,
            _ => self.cast.key(&mut self.random).key(),
        };
        let watcher = self.ledger.channels[&channel].watcher.filter(|_| agrees);
        let watcher = watcher.map(|watcher| self.cast.mostly(&watcher, &mut self.random));
        let agreed = Cosigners {
            party: operator.as_ref().map(Person::key),
            watcher: watcher.as_ref().map(Person::key),
        };
        let instruction = sdk::rotate_voucher_key(&payer.key(), &agreed, &channel, key);
        let caller = payer.key();
        let mut signers = vec![payer];
        signers.extend(operator.into_iter().chain(watcher));
        let call = Call::new([instruction], &distinct(&signers));
        Some(Step::new("rotate_voucher_key", call, move |ledger| {
            ledger.rotate_voucher_key(caller, (agreed.party, agreed.watcher), channel, key)
        }))
    }

    pub(super) fn request_close(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let party = if self.random.random_bool(0.6) { of.payer } else { of.operator };
        let other = if party == of.payer { of.operator } else { of.payer };
        let watcher = of.watcher;
        let caller = self.cast.mostly(&party, &mut self.random);
        let agrees = self.random.random_ratio(1, 3);
        let cosigner = agrees.then(|| self.cast.mostly(&other, &mut self.random));
        let watcher = watcher.filter(|_| self.random.random_bool(0.5));
        let watcher = watcher.map(|watcher| self.cast.mostly(&watcher, &mut self.random));
        let cosigners = Cosigners {
            party: cosigner.as_ref().map(Person::key),
            watcher: watcher.as_ref().map(Person::key),
        };
        let instruction = sdk::request_close(&caller.key(), &cosigners, &channel);
        let mut signers = vec![caller];
        signers.extend(cosigner.into_iter().chain(watcher));
        let keys: Vec<_> = signers.iter().map(Person::key).collect();
        let call = Call::new([instruction], &distinct(&signers));
        Some(Step::new("request_close", call, move |ledger| ledger.request_close(&keys, channel)))
    }

    pub(super) fn withdraw(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let (payer, mint) = (of.payer, of.mint);
        let payer = self.cast.mostly(&payer, &mut self.random);
        let currency = self.cast.currency(&mint);
        let instruction = sdk::withdraw(&payer.key(), &channel, &currency);
        let (caller, call) = (payer.key(), Call::new([instruction], &[&payer]));
        Some(Step::new("withdraw", call, move |ledger| ledger.withdraw(caller, channel).map(drop)))
    }

    pub(super) fn claim_fees(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let (operator, mint) = (of.operator, of.mint);
        let currency = self.cast.currency(&mint);
        let call = Call::new([sdk::claim_fees(&channel, &operator, &operator, &currency)], &[]);
        Some(Step::new("claim_fees", call, move |ledger| ledger.claim_fees(channel).map(drop)))
    }

    pub(super) fn close_channel(&mut self) -> Option<Step> {
        let withdrawn: Vec<_> = self
            .ledger
            .channels
            .iter()
            .filter(|(_, channel)| channel.refunded.is_some())
            .map(|(address, _)| *address)
            .collect();
        let channel = withdrawn.choose(&mut self.random).copied().or_else(|| self.channel())?;
        let payer = self.ledger.channels[&channel].payer;
        let payer = self.cast.mostly(&payer, &mut self.random);
        let instruction = sdk::close(&payer.key(), &channel);
        let (caller, call) = (payer.key(), Call::new([instruction], &[&payer]));
        Some(Step::new("close_channel", call, move |ledger| ledger.close_channel(caller, channel)))
    }
}

/// Returns whether the channel's licenses are of other works than in the call, because it was
/// closed and reopened.
pub(super) fn other_works(ledger: &Ledger, channel: &Pubkey, named: &[(u16, Pubkey)]) -> bool {
    let Some(channel) = ledger.channels.get(channel) else { return false };
    named.iter().any(|(index, work)| {
        let license = channel.licenses.get(usize::from(*index));
        license.is_some_and(|license| license.work != *work)
    })
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
