mod answer;
mod comparison;
mod recovery;

use std::collections::VecDeque;

use motif_interface::{
    bps::floor_share,
    channel::{Channel, ChannelAccount, License},
    operator::ReceiptKeys,
    receipt::SignedReceipt,
    voucher::{SignedVoucher, Voucher},
};
use motif_wire::{Address, BatchRequest, ExpectedStatement, ReceiptParts};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use crate::{
    batch::{Drafted, Group, Unanswered},
    books::{Books, Draft},
    budget::{self, Pending},
    effect::{Effect, Payment, Request},
    error::{PayerError, untrusted},
    journal::{Forgotten, Record, Refused},
    policy::PayerPolicy,
    state::{KeptReceipt, SavedBatch, SavedGroup, SavedState},
};

/// Payer of one channel: what to sign, what to send, what an answer proves, and what is unanswered.
///
/// Each method is an event; it returns the [`Effect`]s that the caller executes. All times are unix
/// seconds of the caller's clock.
#[derive(Clone, Debug)]
pub struct Machine {
    books: Books,
    /// Account that the books begin with.
    account: ChannelAccount,
    receipt_keys: ReceiptKeys,
    policy: PayerPolicy,
    saved: SavedState,
    waiting: VecDeque<Group>,
    drafted: Option<Drafted>,
    unanswered: Option<Unanswered>,
    /// Maximum number of payments in the next batch.
    limit: usize,
    /// Whether the gateway was compared with this payer since it accepted a batch.
    is_compared: bool,
}

impl Machine {
    /// Creates the payer of a channel, as read from the chain. With `is_kept`, it keeps receipts and
    /// what it may have to offer again; its frames must be stored then.
    pub fn new(
        address: Pubkey,
        account: &ChannelAccount,
        receipt_keys: ReceiptKeys,
        policy: PayerPolicy,
        is_kept: bool,
    ) -> Self {
        let books = Books::new(address, account);
        let slot = account.channel.opened_slot;
        let saved = SavedState::new(Address(address), slot, books.number, is_kept);
        Self::with(books, account, receipt_keys, policy, saved)
    }

    fn with(
        books: Books,
        account: &ChannelAccount,
        receipt_keys: ReceiptKeys,
        policy: PayerPolicy,
        saved: SavedState,
    ) -> Self {
        Self {
            books,
            account: account.clone(),
            receipt_keys,
            policy,
            saved,
            waiting: VecDeque::new(),
            drafted: None,
            unanswered: None,
            limit: usize::MAX,
            is_compared: false,
        }
    }

    /// Adds a payment to those of the next batch.
    pub fn pay(&mut self, payment: Payment) {
        let Payment { ticket, generations, tag } = payment;
        let ticket = Some(ticket);
        self.waiting.push_back(Group { ticket, generations, tag, is_again: false });
    }

    /// Checks that the policy allows a use now, before it is requested.
    ///
    /// # Errors
    /// [`PayerError::OverBudget`], [`PayerError::PriceTooHigh`], and those of a license.
    pub fn check(
        &self,
        license: u16,
        units: u32,
        tag: Option<&str>,
        now: i64,
    ) -> Result<(), PayerError> {
        self.check_price(license)?;
        if !self.policy.has_budget() {
            return Ok(());
        }
        let price = self.books.add(&mut self.books.draft(), (license, units), Some(now))?;
        let none = Pending::default();
        let pending = self.unanswered.as_ref().map_or(&none, |batch| &batch.pending);
        let amount = self.with_fee(price);
        budget::check(&self.policy, &self.saved, pending, (tag, amount), now)
    }

    /// Gives up the payments that wait for the next batch; returns their tickets.
    pub fn drop_waiting(&mut self) -> Vec<u64> {
        let waiting = std::mem::take(&mut self.waiting);
        let (offers, dropped): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|group| group.is_again);
        self.waiting = offers.into();
        dropped.iter().filter_map(|group| group.ticket).collect()
    }

    /// Drafts the next batch if none is under way and payments wait.
    pub fn next(&mut self, now: i64) -> Vec<Effect> {
        if self.drafted.is_some() || self.unanswered.is_some() {
            return Vec::new();
        }
        let mut effects = Vec::new();
        let (mut groups, mut prices) = (Vec::new(), Vec::new());
        let (mut draft, mut pending) = (self.books.draft(), Pending::default());
        let max = self.policy.max_batch.clamp(1, BatchRequest::MAX_GENERATIONS);
        while let Some(group) = self.waiting.front() {
            let count = prices.len().saturating_add(group.generations.len());
            if groups.len() >= self.limit || (count > max && !groups.is_empty()) {
                break;
            }
            let Some(group) = self.waiting.pop_front() else { break };
            match self.draft(&mut draft, &pending, &group, now) {
                Ok((own, amount)) => {
                    if !group.is_again {
                        pending.add(group.tag.as_deref(), amount);
                    }
                    prices.extend(own);
                    groups.push(group);
                }
                Err(error) => effects.extend(group.failed(&error)),
            }
        }
        if groups.is_empty() {
            return effects;
        }
        let channel = &self.books.channel;
        match self.books.cumulative_with(draft.prices) {
            Ok(cumulative) => {
                let voucher = Voucher {
                    cluster: channel.cluster,
                    channel: self.books.address,
                    opened_slot: channel.opened_slot,
                    statement: self.books.number,
                    cumulative,
                    statement_digest: draft.statement.digest(),
                    expires_at: now.saturating_add(i64::from(self.policy.voucher_seconds)),
                };
                self.drafted = Some(Drafted { voucher, groups, prices, draft, pending });
                effects.push(Effect::Sign(voucher));
            }
            Err(error) => effects.extend(groups.iter().filter_map(|group| group.failed(&error))),
        }
        effects
    }

    /// Adds a payment to a draft; returns the prices of its generations and the amount with fees, base
    /// units. The draft is unchanged on error.
    fn draft(
        &self,
        draft: &mut Draft,
        pending: &Pending,
        group: &Group,
        now: i64,
    ) -> Result<(Vec<u64>, u64), PayerError> {
        let mut next = (group.generations.len() != 1).then(|| draft.clone());
        let target = next.as_mut().unwrap_or(&mut *draft);
        let before = self.books.cumulative_with(target.prices)?;
        let (start, now_if_new) = (target.clone(), (!group.is_again).then_some(now));
        let mut prices = Vec::with_capacity(group.generations.len());
        for one in &group.generations {
            if !group.is_again {
                self.check_price(one.license)?;
            }
            prices.push(self.books.add(target, (one.license, one.units), now_if_new)?);
        }
        let amount = self.books.cumulative_with(target.prices)?.saturating_sub(before);
        let paying = (group.tag.as_deref(), amount);
        if !group.is_again
            && let Err(error) = budget::check(&self.policy, &self.saved, pending, paying, now)
        {
            *target = start;
            return Err(error);
        }
        if let Some(next) = next {
            *draft = next;
        }
        Ok((prices, amount))
    }

    /// Continues with the signature of the drafted voucher.
    pub fn signed(&mut self, signature: [u8; 64]) -> Vec<Effect> {
        let Some(Drafted { voucher, groups, prices, draft, pending }) = self.drafted.take() else {
            return Vec::new();
        };
        let voucher = SignedVoucher { voucher, key: self.books.channel.voucher_key, signature };
        let generations = groups.iter().flat_map(|group| group.generations.iter().copied());
        let request = BatchRequest { voucher, generations: generations.collect() };
        // A structure of texts and numbers: writing it does not fail.
        let body = serde_json::to_vec(&request).unwrap_or_default();
        let key = hex::encode(&hash(&body).to_bytes()[..16]);
        let tickets = groups.iter().map(|group| group.ticket).collect();
        let groups = groups.into_iter().map(|group| SavedGroup {
            count: u32::try_from(group.generations.len()).unwrap_or(u32::MAX),
            tag: group.tag,
            is_again: group.is_again,
        });
        let batch = SavedBatch { key, prices, groups: groups.collect(), is_adopted: false, body };
        let send = Request { key: batch.key.clone(), body: batch.body.clone() };
        let mut effects = Vec::new();
        if self.saved.is_kept {
            let frame = Record::Signed(batch.clone()).to_frame();
            effects.push(Effect::Save { frame, is_urgent: true });
        }
        let draft = Some(draft);
        let may_be_charged = false;
        self.unanswered =
            Some(Unanswered { batch, request, tickets, draft, pending, may_be_charged });
        effects.push(Effect::Send(send));
        effects
    }

    /// Gives up the drafted batch, which was not signed; returns the tickets of its payments.
    pub fn withdraw(&mut self) -> Vec<u64> {
        let groups = self.drafted.take().map(|drafted| drafted.groups).unwrap_or_default();
        let (offers, refused): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.is_again);
        self.wait_again(offers);
        refused.iter().filter_map(|group| group.ticket).collect()
    }

    /// Returns the request of the unanswered batch, to be repeated.
    pub fn resend(&self) -> Option<Request> {
        let batch = &self.unanswered.as_ref()?.batch;
        Some(Request { key: batch.key.clone(), body: batch.body.clone() })
    }

    /// Notes that the unanswered batch was sent and no answer has arrived.
    pub fn lose_answer(&mut self) {
        if let Some(unanswered) = &mut self.unanswered {
            unanswered.may_be_charged = true;
        }
    }

    /// Stops waiting for the unanswered batch; returns the tickets of its payments. The batch is kept:
    /// its request is to be repeated before the next one.
    pub fn abandon(&mut self) -> Vec<u64> {
        let tickets = self.unanswered.as_mut().map(|batch| batch.tickets.iter_mut());
        tickets.into_iter().flatten().filter_map(Option::take).collect()
    }

    /// Stops repeating a batch whose last answer was this error of [`Machine::answered`]. It ends if that
    /// is [`PayerError::Refused`], and is kept otherwise.
    pub fn give_up(&mut self, error: &PayerError) -> Vec<Effect> {
        let mut effects = Vec::new();
        let is_over = matches!(error, PayerError::Refused(_));
        for ticket in self.abandon() {
            effects.push(Effect::Failed { ticket, error: error.clone() });
        }
        if is_over && let Some(unanswered) = self.unanswered.take() {
            self.wait_again(unanswered.into_groups());
            if self.saved.is_kept {
                let frame = Record::Refused(Refused { is_cut: false }).to_frame();
                effects.insert(0, Effect::Save { frame, is_urgent: false });
            }
        }
        effects
    }

    /// Puts payments before all others, unless nothing waits for them, or the gateway has what was offered.
    fn wait_again(&mut self, groups: Vec<Group>) {
        let has_offers = !self.saved.offers.is_empty();
        let waits = |group: &Group| group.ticket.is_some() || (group.is_again && has_offers);
        for group in groups.into_iter().rev().filter(waits) {
            self.waiting.push_front(group);
        }
    }

    /// Adds licenses and deposits that are new on chain, and drops what has settled.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`] if the channel was closed and opened again.
    pub fn refresh(&mut self, account: &ChannelAccount) -> Result<(), PayerError> {
        if account.channel.opened_slot != self.books.channel.opened_slot {
            return Err(untrusted("the channel was opened again"));
        }
        if account.channel.statements.length < self.account.channel.statements.length {
            return Ok(()); // an older read
        }
        self.account = account.clone();
        self.books.channel.deposited = account.channel.deposited;
        self.books.channel.upfront_fees = account.channel.upfront_fees;
        let known = self.books.licenses.len().min(account.licenses.len());
        self.books.licenses.extend_from_slice(&account.licenses[known..]);
        self.saved.settle(account.channel.statements.length);
        Ok(())
    }

    /// Verifies a receipt for a request that was paid before, of at most `max_units`.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`].
    pub fn verify_earlier(
        &self,
        parts: &ReceiptParts,
        (license, max_units): (u16, u32),
        request_digest: &[u8; 32],
        output_digest: &[u8; 32],
    ) -> Result<SignedReceipt, PayerError> {
        let signed = SignedReceipt::from(parts);
        let receipt = &signed.receipt;
        let is_ours = self.books.is_for(receipt, (license, request_digest, output_digest))?
            && (1..=max_units).contains(&receipt.units)
            && receipt.cumulative <= self.books.cumulative()?
            && signed.verifies_with(&self.receipt_keys);
        if is_ours { Ok(signed) } else { Err(untrusted("the receipt is for another request")) }
    }

    /// Returns the receipts that were not exported, oldest first.
    pub fn receipts(&self) -> &[KeptReceipt] {
        &self.saved.receipts
    }

    /// Forgets exported receipts up to this number.
    pub fn forget_receipts(&mut self, through: u64) -> Vec<Effect> {
        self.saved.forget(through);
        if !self.saved.is_kept {
            return Vec::new();
        }
        let frame = Record::Forgotten(Forgotten { through }).to_frame();
        vec![Effect::Save { frame, is_urgent: true }]
    }

    /// Returns the number of payments that wait for the next batch.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the outcome of a batch is unknown.
    pub fn is_unanswered(&self) -> bool {
        self.unanswered.is_some()
    }

    /// Whether the outcome of a batch is unknown, or the gateway is offered again what it has lost.
    pub fn has_doubts(&self) -> bool {
        self.unanswered.is_some() || !self.saved.offers.is_empty()
    }

    /// Returns spending since the state was created, base units, fees included.
    pub fn spent(&self) -> u64 {
        self.saved.spent
    }

    /// Returns spending of a UTC day, base units, fees included; of all tags without `tag`.
    pub fn spent_on(&self, day: i64, tag: Option<&str>) -> u64 {
        self.saved.spent_on(day, tag)
    }

    /// Returns spending of a UTC day with the payments that are signed, unanswered, and awaited by nothing
    /// any more, base units, fees included; of all tags without `tag`.
    pub fn committed_on(&self, day: i64, tag: Option<&str>) -> u64 {
        let lost = self.unanswered.as_ref().filter(|batch| !batch.is_awaited());
        let pending = lost.map_or(0, |batch| match tag {
            Some(tag) => batch.pending.of(tag),
            None => batch.pending.total,
        });
        self.saved.spent_on(day, tag).saturating_add(pending)
    }

    /// Returns the total of the newest receipt: prices and fees since the channel opened, base units.
    ///
    /// # Errors
    /// [`PayerError::Overflow`].
    pub fn cumulative(&self) -> Result<u64, PayerError> {
        self.books.cumulative()
    }

    /// Returns the part of the deposit that is neither owed nor signed, base units.
    ///
    /// # Errors
    /// [`PayerError::Overflow`].
    pub fn available(&self) -> Result<u64, PayerError> {
        let channel = &self.books.channel;
        let signed = self.unanswered.as_ref().map_or(0, |batch| batch.pending.total);
        let gone = [channel.upfront_fees, self.books.cumulative()?, signed];
        Ok(gone.into_iter().fold(channel.deposited, u64::saturating_sub))
    }

    /// Returns whether the gateway's open statement has units that this payer has not signed: another process
    /// pays with the same voucher key.
    pub fn is_overtaken(&self, expected: &ExpectedStatement) -> bool {
        let own = &self.books.statement;
        let signed = |license| {
            let mut entries = own.entries();
            entries.find(|entry| entry.license == license).map_or(0, |entry| entry.units)
        };
        expected.statement == self.books.number
            && expected.entries.iter().any(|entry| entry.units > signed(entry.license))
    }

    /// Returns the number of the next generation's statement.
    pub fn statement(&self) -> u64 {
        self.books.number
    }

    /// Returns a license of the channel.
    pub fn license(&self, index: u16) -> Option<License> {
        self.books.license(index).ok()
    }

    /// Returns the channel's licenses, by index.
    pub fn licenses(&self) -> &[License] {
        &self.books.licenses
    }

    /// Returns the address of the channel.
    pub fn address(&self) -> Pubkey {
        self.books.address
    }

    /// Returns the channel as last read from the chain.
    pub fn channel(&self) -> &Channel {
        &self.books.channel
    }

    fn check_price(&self, license: u16) -> Result<(), PayerError> {
        let price = self.books.license(license)?.price;
        match self.policy.max_unit_price.filter(|max| price > *max) {
            Some(max) => Err(PayerError::PriceTooHigh { license, price, max }),
            None => Ok(()),
        }
    }

    /// Returns a price with its fee, base units.
    fn with_fee(&self, price: u64) -> u64 {
        price.saturating_add(floor_share(price, self.books.channel.operator_fee_bps))
    }
}
