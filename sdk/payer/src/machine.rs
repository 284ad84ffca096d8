use std::collections::VecDeque;

use motif_interface::{
    bps::floor_share,
    channel::{Channel, ChannelAccount, License},
    operator::ReceiptKeys,
    receipt::SignedReceipt,
    voucher::{SignedVoucher, Statement, Voucher},
};
use motif_wire::{
    Address, BatchReceipts, BatchRequest, BatchedGeneration, ChannelState, Problem, ProblemType,
    ReceiptParts, StatementEntry,
};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use crate::{
    books::{Books, Draft},
    budget::{self, Pending},
    error::{InvalidJournal, PayerError, is_definite, parse, untrusted},
    journal::{Answered, Forgotten, Record, Refused, records},
    policy::PayerPolicy,
    signatures::ReceiptVerifier,
    state::{KeptReceipt, SavedBatch, SavedGroup, SavedState, SavedStatement, UnansweredText},
};

/// Generations to pay for, all or none.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Number by which [`Effect`]s name the payment.
    pub ticket: u64,
    /// 1 to [`BatchRequest::MAX_GENERATIONS`] generations.
    pub generations: Vec<BatchedGeneration>,
    /// Tag that the receipts are kept under, and that has a budget.
    pub tag: Option<String>,
}

/// Request to the gateway: `POST /v1/channels/{channel}/batches` with the header `idempotency-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Idempotency key.
    pub key: String,
    /// JSON of a [`BatchRequest`].
    pub body: Vec<u8>,
}

/// What the caller of a [`Machine`] does next, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Signs the voucher with the channel's voucher key, then calls [`Machine::signed`] or
    /// [`Machine::withdraw`].
    Sign(Voucher),
    /// Appends a frame to the state file.
    Save {
        /// Bytes.
        frame: Vec<u8>,
        /// Whether the frame must be durable before anything that follows.
        is_urgent: bool,
    },
    /// Sends the request, then calls [`Machine::answered`] or, without an answer, sends it again.
    Send(Request),
    /// A payment is accepted.
    Paid {
        /// Ticket of the payment; `None` if nothing waits for it any more.
        ticket: Option<u64>,
        /// Verified receipts, in order.
        receipts: Vec<SignedReceipt>,
        /// Voucher that paid.
        voucher: SignedVoucher,
    },
    /// A payment is refused and was not charged.
    Failed {
        /// Ticket of the payment.
        ticket: u64,
        /// Cause.
        error: PayerError,
    },
    /// Reads the channel's state from the gateway, then calls [`Machine::compare`]: the gateway has
    /// a lower total than this payer.
    Compare,
}

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

#[derive(Clone, Debug)]
struct Group {
    /// `None` if nothing waits for it.
    ticket: Option<u64>,
    generations: Vec<BatchedGeneration>,
    tag: Option<String>,
    is_again: bool,
}

/// Batch whose voucher is being signed.
#[derive(Clone, Debug)]
struct Drafted {
    voucher: Voucher,
    groups: Vec<Group>,
    prices: Vec<u64>,
    draft: Draft,
    pending: Pending,
}

/// Signed batch without an answer.
#[derive(Clone, Debug)]
struct Unanswered {
    batch: SavedBatch,
    request: BatchRequest,
    tickets: Vec<Option<u64>>,
    /// The open statement with the batch; `None` if the batch's statement has settled.
    draft: Option<Draft>,
    pending: Pending,
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

    /// Restores a payer from its state file and the channel as read from the chain. Returns `None` if
    /// the file has no whole record.
    ///
    /// # Errors
    /// [`InvalidJournal`].
    pub fn load(
        address: Pubkey,
        account: &ChannelAccount,
        receipt_keys: ReceiptKeys,
        policy: PayerPolicy,
        file: &[u8],
    ) -> Result<Option<Self>, InvalidJournal> {
        let Some((mut saved, batch)) = fold(records(file)?)? else { return Ok(None) };
        let slot = account.channel.opened_slot;
        if (saved.channel.0, saved.opened_slot) != (address, slot) {
            let channel = saved.channel.0.to_string();
            return Err(InvalidJournal::OtherChannel(channel, saved.opened_slot));
        }
        saved.is_kept = true;
        saved.settle(account.channel.statements.length);
        let mut books = Books::new(address, account);
        let contradicted = |error: PayerError| InvalidJournal::Contradicted(error.to_string());
        for statement in &saved.statements {
            if statement.number != books.number {
                let (own, chain) = (statement.number, books.number);
                let text = format!("statement {own} is the next, and {chain} by the chain");
                return Err(InvalidJournal::Contradicted(text));
            }
            add_statement(&mut books, statement).map_err(contradicted)?;
            if statement.number < saved.number {
                books.cut(None);
            }
        }
        saved.number = books.number;
        let mut machine = Self::with(books, account, receipt_keys, policy, saved);
        machine.unanswered = batch.map(|batch| machine.restore_batch(batch)).transpose()?;
        let sent = machine.unanswered.iter().flat_map(|unanswered| &unanswered.batch.groups);
        let sent: u32 = sent.filter(|group| group.is_again).map(|group| group.count).sum();
        machine.queue_offers(sent as usize);
        Ok(Some(machine))
    }

    fn restore_batch(&self, batch: SavedBatch) -> Result<Unanswered, InvalidJournal> {
        let request: BatchRequest = parse(&batch.body)?;
        let voucher = &request.voucher.voucher;
        let mut draft = self.books.draft();
        let fits = request.generations.iter().try_for_each(|one| {
            self.books.add(&mut draft, (one.license, one.units), None).map(drop)
        });
        let total = fits.and_then(|()| self.books.cumulative_with(draft.prices));
        let is_next = voucher.statement == self.books.number
            && total.is_ok_and(|total| total == voucher.cumulative);
        let count = batch.groups.len();
        let mut pending = Pending::default();
        let tags = batch.groups.iter().flat_map(|group| (0..group.count).map(move |_| group));
        for (group, price) in tags.zip(&batch.prices) {
            pending.add(group.tag.as_deref(), self.with_fee(*price));
        }
        Ok(Unanswered {
            batch,
            request,
            tickets: vec![None; count],
            draft: is_next.then_some(draft),
            pending,
        })
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
                Err(error) => effects.extend(failed(&group, &error)),
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
            Err(error) => effects.extend(groups.iter().filter_map(|group| failed(group, &error))),
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
        let batch = SavedBatch { key, prices, groups: groups.collect(), body };
        let send = Request { key: batch.key.clone(), body: batch.body.clone() };
        let mut effects = Vec::new();
        if self.saved.is_kept {
            let frame = Record::Signed(batch.clone()).to_frame();
            effects.push(Effect::Save { frame, is_urgent: true });
        }
        let draft = Some(draft);
        self.unanswered = Some(Unanswered { batch, request, tickets, draft, pending });
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

    /// Stops waiting for the unanswered batch; returns the tickets of its payments. The batch is kept:
    /// its request is to be repeated before the next one.
    pub fn abandon(&mut self) -> Vec<u64> {
        let tickets = self.unanswered.as_mut().map(|batch| batch.tickets.iter_mut());
        tickets.into_iter().flatten().filter_map(Option::take).collect()
    }

    /// Stops repeating a batch whose last answer was this error of [`Machine::answered`]. It is kept
    /// unless the error proves that it was not charged.
    pub fn give_up(&mut self, error: &PayerError) -> Vec<Effect> {
        let mut effects = Vec::new();
        let is_over = matches!(error, PayerError::Refused(problem) if is_definite(problem));
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

    /// Continues with the gateway's answer to the unanswered batch.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`], [`PayerError::Refused`]: the answer does not tell whether the batch
    /// was charged. It stays unanswered.
    pub fn answered(
        &mut self,
        status: u16,
        body: &[u8],
        now: i64,
    ) -> Result<Vec<Effect>, PayerError> {
        let Some(unanswered) = &self.unanswered else { return Ok(Vec::new()) };
        let unreadable =
            |error| untrusted(format!("status {status} with an unreadable body: {error}"));
        if (200..300).contains(&status) {
            let answer: BatchReceipts = serde_json::from_slice(body).map_err(unreadable)?;
            let receipts: Vec<_> = answer.receipts.iter().map(SignedReceipt::from).collect();
            let mut verifier = ReceiptVerifier::new(&self.receipt_keys);
            let Unanswered { batch, request, .. } = unanswered;
            let made = (&request.generations[..], &batch.prices[..]);
            self.books.check(&request.voucher, made, &receipts, |one| verifier.verifies(one))?;
            return self.accepted(&receipts, body, now);
        }
        let problem: Problem = serde_json::from_slice(body).map_err(unreadable)?;
        if !is_definite(&problem) || problem.problem_type() == Some(ProblemType::RateLimited) {
            return Err(PayerError::Refused(Box::new(problem)));
        }
        Ok(self.refused(problem, now))
    }

    /// Counts an accepted batch.
    fn accepted(
        &mut self,
        receipts: &[SignedReceipt],
        body: &[u8],
        now: i64,
    ) -> Result<Vec<Effect>, PayerError> {
        let Some(unanswered) = self.unanswered.take() else { return Ok(Vec::new()) };
        let Unanswered { batch, request, tickets, draft, .. } = unanswered;
        let charges = match &draft {
            Some(_) => self.charges(&batch.prices)?,
            None => batch.prices.iter().map(|price| self.with_fee(*price)).collect(),
        };
        self.saved.count(&batch.groups, &request.generations, &charges, receipts, now);
        if let Some(draft) = draft {
            self.books.count(draft);
        }
        (self.limit, self.is_compared) = (usize::MAX, false);
        let mut effects = Vec::with_capacity(tickets.len() + 1);
        if self.saved.is_kept {
            let (head, body) = (Answered { at: now, charges }, body.to_vec());
            let frame = Record::Answered { head, body }.to_frame();
            effects.push(Effect::Save { frame, is_urgent: false });
        }
        let mut rest = receipts;
        for (group, ticket) in batch.groups.iter().zip(tickets) {
            let (own, after) = rest.split_at(rest.len().min(group.count as usize));
            rest = after;
            let (receipts, voucher) = (own.to_vec(), request.voucher);
            effects.push(Effect::Paid { ticket, receipts, voucher });
        }
        Ok(effects)
    }

    /// Returns the amounts of generations on top of the open statement, base units, fees included.
    fn charges(&self, prices: &[u64]) -> Result<Vec<u64>, PayerError> {
        let (mut sum, mut before) = (self.books.prices, self.books.cumulative()?);
        let charge = |price: &u64| {
            sum = sum.checked_add(*price).ok_or(PayerError::Overflow)?;
            let after = self.books.cumulative_with(sum)?;
            let charged = after.saturating_sub(before);
            before = after;
            Ok(charged)
        };
        prices.iter().map(charge).collect()
    }

    /// Continues after a refusal: nothing was charged. What can still be paid for waits again.
    fn refused(&mut self, problem: Problem, now: i64) -> Vec<Effect> {
        let Some(unanswered) = self.unanswered.take() else { return Vec::new() };
        let mut effects = Vec::new();
        let is_closed = problem.problem_type() == Some(ProblemType::StatementClosed);
        let followed = match &problem.expected {
            Some(expected) if is_closed => Some(self.books.follow_cut(expected, now)),
            None if is_closed => {
                Some(Err(untrusted("it closed a statement without naming the next one")))
            }
            _ => None,
        };
        let is_cut = matches!(followed, Some(Ok(())));
        if self.saved.is_kept {
            let frame = Record::Refused(Refused { is_cut }).to_frame();
            effects.push(Effect::Save { frame, is_urgent: false });
        }
        self.saved.number = self.books.number;
        let lost = self.has_lost(&problem, &unanswered.request.voucher.voucher);
        let groups = unanswered.into_groups();
        match followed {
            Some(Ok(())) => self.wait_again(groups),
            Some(Err(error)) => effects.extend(groups.iter().filter_map(|one| failed(one, &error))),
            None if lost => {
                self.is_compared = true;
                self.wait_again(groups);
                effects.push(Effect::Compare);
            }
            None => effects.extend(self.sort_out(groups, problem)),
        }
        effects
    }

    /// Fails the payments that a refusal concerns; the others wait again.
    fn sort_out(&mut self, groups: Vec<Group>, problem: Problem) -> Vec<Effect> {
        let is_named = |first: usize, group: &Group| {
            let places = first..first + group.generations.len();
            problem.items.iter().find(|item| places.contains(&(item.item as usize)))
        };
        let (mut first, mut failing, mut others) = (0, Vec::new(), Vec::new());
        for group in &groups {
            match is_named(first, group) {
                Some(item) => failing.push((group.clone(), item.clone())),
                None => others.push(group.clone()),
            }
            first += group.generations.len();
        }
        if !failing.is_empty() {
            self.wait_again(others);
            let failed = failing.iter().filter_map(|(group, item)| {
                let known: Option<ProblemType> = item.slug.parse().ok();
                let problem = Problem {
                    slug: item.slug.clone(),
                    title: known
                        .map_or_else(|| problem.title.clone(), |known| known.title().to_owned()),
                    status: known.map_or(problem.status, ProblemType::status),
                    detail: item.detail.clone(),
                    items: Vec::new(),
                    ..problem.clone()
                };
                failed(group, &PayerError::Refused(Box::new(problem)))
            });
            return failed.collect();
        }
        if groups.len() > 1 && problem.problem_type().is_some_and(is_about_the_sum) {
            // A smaller batch may fit; a single payment that does not fails alone.
            self.limit = groups.len().div_ceil(2);
            self.wait_again(groups);
            return Vec::new();
        }
        let error = PayerError::Refused(Box::new(problem));
        groups.iter().filter_map(|group| failed(group, &error)).collect()
    }

    /// Puts payments before all others, unless nothing waits for them.
    fn wait_again(&mut self, groups: Vec<Group>) {
        for group in groups.into_iter().rev().filter(|one| one.ticket.is_some() || one.is_again) {
            self.waiting.push_front(group);
        }
    }

    /// Returns whether a refusal shows that the gateway has a lower total than this payer.
    fn has_lost(&self, problem: &Problem, refused: &Voucher) -> bool {
        let (Some(expected), Ok(own)) = (&problem.expected, self.books.cumulative()) else {
            return false;
        };
        let is_lower = match problem.problem_type() {
            Some(ProblemType::WrongPrice) => expected.cumulative.0 < refused.cumulative,
            Some(
                ProblemType::VoucherNotNewer
                | ProblemType::StatementMismatch
                | ProblemType::StatementAhead,
            ) => expected.cumulative.0 < own,
            _ => false,
        };
        is_lower && self.saved.is_kept && !self.is_compared
    }

    /// Compares this payer with the channel's state at the gateway. Vouchers that the gateway has in
    /// addition are counted if this payer's key signed them; generations that it has lost are offered
    /// again by the next batches.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`] if the gateway's state is no earlier or later one of this payer's.
    pub fn compare(&mut self, state: &ChannelState) -> Result<Vec<Effect>, PayerError> {
        let first = state.unsettled.first().map_or(state.open.statement, |first| first.statement);
        let mut theirs = Books::new(self.books.address, &self.account);
        // Settled since the account was read.
        for statement in &self.saved.statements {
            if statement.number == theirs.number && statement.number < first {
                add_statement(&mut theirs, statement)?;
                theirs.cut(None);
            }
        }
        theirs.take_over_all(state)?;
        theirs.licenses = merge_terms(theirs.licenses, &self.books.licenses);
        let (their_total, own_total) = (theirs.cumulative()?, self.books.cumulative()?);
        let is_at = |number: u64, statement: &Statement, total: u64| {
            (theirs.number, &theirs.statement, their_total) == (number, statement, total)
        };
        let next = self.unanswered.as_ref().and_then(|batch| {
            let total = batch.request.voucher.voucher.cumulative;
            batch.draft.as_ref().map(|draft| (&draft.statement, total))
        });
        let Books { number, ref statement, .. } = self.books;
        if is_at(number, statement, own_total)
            || next.is_some_and(|(statement, total)| is_at(number, statement, total))
        {
            return Ok(Vec::new());
        }
        if is_at(number.saturating_add(1), &Statement::default(), own_total) {
            // The gateway has closed the statement.
            (self.saved.number, self.books) = (theirs.number, theirs);
        } else if their_total < own_total {
            self.offer_again(theirs)?;
        } else {
            let closed = state.unsettled.iter().chain([&state.open]);
            let adopted = closed.filter(|statement| !statement.entries.is_empty());
            let statements = adopted.map(|statement| SavedStatement {
                number: statement.statement,
                entries: statement.entries.clone(),
                generations: Vec::new(),
            });
            self.saved.statements = statements.collect();
            (self.saved.number, self.books) = (theirs.number, theirs);
            if let Some(unanswered) = &mut self.unanswered {
                unanswered.draft = None;
            }
        }
        if !self.saved.is_kept {
            self.saved.statements = Vec::new();
            return Ok(Vec::new());
        }
        Ok(vec![Effect::Save { frame: self.snapshot(), is_urgent: true }])
    }

    /// Returns to the gateway's earlier state, and queues everything after it.
    fn offer_again(&mut self, theirs: Books) -> Result<(), PayerError> {
        let lost = || {
            untrusted("its total is below this payer's, and none that this payer has signed before")
        };
        let their_total = theirs.cumulative()?;
        let is_there = |own: &Books| {
            let same = (own.number, &own.statement) == (theirs.number, &theirs.statement)
                || (theirs.number == own.number.saturating_add(1) && theirs.statement.is_empty());
            own.cumulative().map(|total| same && total == their_total)
        };
        let mut own = Books::new(self.books.address, &self.account);
        let (mut found, mut kept, mut offers) = (is_there(&own)?, Vec::new(), Vec::new());
        for statement in &self.saved.statements {
            if own.number > statement.number {
                continue;
            }
            while own.number < statement.number {
                own.cut(None);
                found = found || is_there(&own)?;
            }
            let mut left = SavedStatement { generations: Vec::new(), ..statement.clone() };
            if found {
                // Generations of another process cannot be offered by this one.
                if !statement.entries.is_empty() {
                    return Err(lost());
                }
            } else {
                add_entries(&mut own, &statement.entries)?;
                found = is_there(&own)?;
            }
            for one in &statement.generations {
                if found {
                    offers.push(*one);
                    continue;
                }
                let mut draft = own.draft();
                own.add(&mut draft, (one.license, one.units), None)?;
                own.count(draft);
                left.generations.push(*one);
                found = is_there(&own)?;
            }
            if !left.entries.is_empty() || !left.generations.is_empty() {
                kept.push(left);
            }
        }
        if !found {
            return Err(lost());
        }
        let (number, books) = (theirs.number, theirs);
        (self.saved.statements, self.saved.number, self.books) = (kept, number, books);
        // What is unanswered follows what was answered.
        let groups = self.unanswered.take().map(Unanswered::into_groups).unwrap_or_default();
        for group in groups.iter().filter(|group| group.ticket.is_none() && !group.is_again) {
            offers.extend(&group.generations);
        }
        self.wait_again(groups);
        self.waiting.retain(|group| !group.is_again);
        // What was being offered already follows them.
        offers.append(&mut self.saved.offers);
        self.saved.offers = offers;
        self.queue_offers(0);
        Ok(())
    }

    /// Queues what is offered again, without the first `sent` generations.
    fn queue_offers(&mut self, sent: usize) {
        let max = self.policy.max_batch.clamp(1, BatchRequest::MAX_GENERATIONS);
        for offered in self.saved.offers.get(sent..).unwrap_or_default().rchunks(max) {
            let generations =
                offered.iter().map(|one| BatchedGeneration { captures: None, ..*one }).collect();
            let (ticket, tag) = (None, None);
            self.waiting.push_front(Group { ticket, generations, tag, is_again: true });
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

    /// Returns the whole state as a frame, which begins a new state file.
    pub fn snapshot(&self) -> Vec<u8> {
        let unanswered = self.unanswered.as_ref().map(|unanswered| UnansweredText {
            batch: unanswered.batch.clone(),
            body: String::from_utf8_lossy(&unanswered.batch.body).into_owned(),
        });
        let state = SavedState { unanswered, ..self.saved.clone() };
        Record::Snapshot(Box::new(state)).to_frame()
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

    /// Returns the number of the next generation's statement.
    pub fn statement(&self) -> u64 {
        self.books.number
    }

    /// Returns a license of the channel.
    pub fn license(&self, index: u16) -> Option<License> {
        self.books.license(index).ok()
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

impl Unanswered {
    /// Returns the payments of the batch.
    fn into_groups(self) -> Vec<Group> {
        let mut generations = self.request.generations.into_iter();
        let groups = self.batch.groups.into_iter().zip(self.tickets);
        let groups = groups.map(|(group, ticket)| Group {
            ticket,
            generations: generations.by_ref().take(group.count as usize).collect(),
            tag: group.tag,
            is_again: group.is_again,
        });
        groups.collect()
    }
}

/// Returns the state after all records, with the unanswered batch; `None` without a record.
fn fold(records: Vec<Record>) -> Result<Option<(SavedState, Option<SavedBatch>)>, InvalidJournal> {
    let mut records = records.into_iter();
    let mut state = match records.next() {
        None => return Ok(None),
        Some(Record::Snapshot(state)) => *state,
        Some(_) => return Err(InvalidJournal::NoSnapshot),
    };
    let unanswered = |state: &mut SavedState| {
        let text = state.unanswered.take();
        text.map(|text| SavedBatch { body: text.body.into_bytes(), ..text.batch })
    };
    let mut batch = unanswered(&mut state);
    state.is_kept = true;
    for record in records {
        match record {
            Record::Snapshot(newer) => {
                state = SavedState { is_kept: true, ..*newer };
                batch = unanswered(&mut state);
            }
            Record::Signed(signed) => batch = Some(signed),
            Record::Answered { head, body } => {
                let alone = || InvalidJournal::Malformed("an answer has no request".to_owned());
                let signed = batch.take().ok_or_else(alone)?;
                let request: BatchRequest = parse(&signed.body)?;
                let answer: BatchReceipts = parse(&body)?;
                let receipts: Vec<_> = answer.receipts.iter().map(SignedReceipt::from).collect();
                let Answered { at, charges } = &head;
                state.number = state.number.max(request.voucher.voucher.statement);
                state.count(&signed.groups, &request.generations, charges, &receipts, *at);
            }
            Record::Refused(Refused { is_cut }) => {
                batch = None;
                state.number = state.number.saturating_add(u64::from(is_cut));
            }
            Record::Forgotten(Forgotten { through }) => state.forget(through),
        }
    }
    Ok(Some((state, batch)))
}

fn add_statement(books: &mut Books, statement: &SavedStatement) -> Result<(), PayerError> {
    add_entries(books, &statement.entries)?;
    let mut draft = books.draft();
    for one in &statement.generations {
        books.add(&mut draft, (one.license, one.units), None)?;
    }
    books.count(draft);
    Ok(())
}

fn add_entries(books: &mut Books, entries: &[StatementEntry]) -> Result<(), PayerError> {
    let mut draft = books.draft();
    for entry in entries {
        books.add(&mut draft, (entry.license, entry.units), None)?;
    }
    books.count(draft);
    Ok(())
}

/// Adds licenses that were read later.
fn merge_terms(mut licenses: Vec<License>, newer: &[License]) -> Vec<License> {
    let known = licenses.len().min(newer.len());
    licenses.extend_from_slice(&newer[known..]);
    licenses
}

fn failed(group: &Group, error: &PayerError) -> Option<Effect> {
    let ticket = group.ticket?;
    Some(Effect::Failed { ticket, error: error.clone() })
}

/// Returns whether fewer generations may be accepted where all together were refused.
fn is_about_the_sum(problem_type: ProblemType) -> bool {
    matches!(
        problem_type,
        ProblemType::Underfunded
            | ProblemType::ChannelBudget
            | ProblemType::KeyBudget
            | ProblemType::Exposed
            | ProblemType::AmountTooLarge
            | ProblemType::BatchSize
            | ProblemType::BodyTooLarge
            | ProblemType::StatementFull
    )
}
