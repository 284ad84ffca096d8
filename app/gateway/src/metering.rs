//! Generations: verify, reserve, make durable, acknowledge.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use motif_ed25519_batch::Verifier;
use motif_paywall::PartKeeper;
use motif_sdk::{
    Pubkey,
    gateway::{
        IdempotencyKey,
        wire::{BatchRequest, BatchedGeneration, Captured, Digest, GenerationRequest},
    },
    receipt::{Receipt, SignedReceipt},
    voucher::SignedVoucher,
};
use parking_lot::RwLock;

use crate::{
    admission::Admission,
    channel::{ChannelHandle, LockedChannel},
    channel_registry::ChannelRegistry,
    cluster::Cluster,
    error::GatewayError,
    keys::Caller,
    ledger::{HoldId, Item, LedgerError, PricedItem, Requested, Reservation},
    metrics::Metrics,
    operator_keys::OperatorKeys,
    settlement::SettlementPolicy,
    store::{Change, Failpoint, Failpoints, Generation, Issued, Written},
};

/// Takes payment for generations.
pub struct Metering {
    pub(crate) channels: Arc<ChannelRegistry>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) verifier: Verifier,
    pub(crate) admission: Arc<Admission>,
    pub(crate) policy: Arc<SettlementPolicy>,
    pub(crate) keys: Arc<OperatorKeys>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) failpoints: Arc<dyn Failpoints>,
    pub(crate) part_keepers: RwLock<Vec<PartKeeper>>,
}

/// Generations that one voucher pays for, all or none.
#[derive(Clone, Copy)]
struct Payment<'a> {
    voucher: &'a SignedVoucher,
    /// Idempotency key of the generations that capture nothing. A captured hold or part is its own
    /// key.
    key: &'a str,
    generations: &'a [BatchedGeneration],
}

/// Result of a payment's turn under the channel's lock.
enum Decision {
    /// Accepted; acknowledged once it is on disk.
    Accepted(Issued),
    /// The key was used in the open statement, or the voucher's statement is closed.
    Earlier,
    /// The open statement was full and is closed.
    Cut(Written),
}

impl Metering {
    /// Adds a keeper of streams' parts. A later part that none has is not paid for.
    pub(crate) fn keep_parts(&self, keeper: PartKeeper) {
        self.part_keepers.write().push(keeper);
    }

    /// Takes payment for a generation and returns its receipt.
    ///
    /// Idempotent: the same request under the same key returns the same receipt, even after its
    /// statement has settled.
    ///
    /// # Errors
    /// Every [`GatewayError`] of a generation. Nothing was charged unless it is
    /// [`GatewayError::StoreFailed`].
    pub async fn pay(
        &self,
        channel: Pubkey,
        key: IdempotencyKey,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        self.pay_one(channel, key.as_str(), request, None, caller).await
    }

    /// Takes payment for several generations, all or none, and returns their receipts in order.
    ///
    /// Idempotent, as [`Metering::pay`]; a captured hold or part is paid for once, whatever the key.
    ///
    /// # Errors
    /// As [`Metering::pay`]; [`GatewayError::BatchSize`]; [`GatewayError::BatchItems`] names the
    /// generations that cannot be paid for.
    pub async fn pay_batch(
        &self,
        channel: Pubkey,
        key: IdempotencyKey,
        mut request: BatchRequest,
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        let count = request.generations.len();
        if !(1..=BatchRequest::MAX_GENERATIONS).contains(&count) {
            return Err(GatewayError::BatchSize(count));
        }
        let channel = self.verify(&channel, &mut request.voucher, count as u32).await?;
        let BatchRequest { voucher, generations } = &request;
        self.execute(&channel, Payment { voucher, key: key.as_str(), generations }, caller).await
    }

    /// Takes payment for a generation that captures a hold.
    ///
    /// # Errors
    /// As [`Metering::pay`].
    pub(crate) async fn capture(
        &self,
        channel: Pubkey,
        hold: HoldId,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        self.pay_one(channel, "", request, Some(Captured::Hold(Digest(hold))), caller).await
    }

    /// Takes payment for a later part of a streamed answer, under the part's identifier.
    ///
    /// # Errors
    /// As [`Metering::pay`].
    pub(crate) async fn pay_part(
        &self,
        channel: Pubkey,
        part: HoldId,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        self.pay_one(channel, "", request, Some(Captured::Part(Digest(part))), caller).await
    }

    /// Returns the receipt that captured a hold or paid for a later part of a streamed answer.
    /// Searches the newest 64 statements, which covers the time for which answers are kept.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], [`GatewayError::StoreFailed`].
    pub(crate) async fn receipt_of(
        &self,
        address: Pubkey,
        id: HoldId,
        part: u32,
    ) -> Result<Option<SignedReceipt>, GatewayError> {
        const STATEMENTS: u64 = 64;
        let (channel_id, open) = match self.channels.get(&address).await {
            Ok(channel) => (channel.id(), channel.lock().ledger.open_statement().number),
            // The shared store has the receipts, whichever process holds the channel.
            Err(error) if error.is_moved() => {
                let (id, channel) = self.channels.recorded(&address).await?;
                (id, self.channels.recorded_open_statement(id, &channel).await?)
            }
            Err(error) => return Err(error),
        };
        let id = Digest(id);
        let key = capture_key(if part == 0 { Captured::Hold(id) } else { Captured::Part(id) });
        let store = self.channels.store();
        store.writer().flush().await?;
        for statement in (open.saturating_sub(STATEMENTS)..=open).rev() {
            let generations = store.lookup().by_key(channel_id, statement, &key).await?;
            if let Some(generation) = generations.first() {
                return Ok(Some(generation.receipt));
            }
        }
        Ok(None)
    }

    async fn pay_one(
        &self,
        channel: Pubkey,
        key: &str,
        mut request: GenerationRequest,
        captures: Option<Captured>,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        let channel = self.verify(&channel, &mut request.voucher, 1).await?;
        let generations = &[BatchedGeneration { captures, ..request.generation() }];
        let payment = Payment { voucher: &request.voucher, key, generations };
        let receipts = self.execute(&channel, payment, caller).await?;
        receipts.first().copied().ok_or(GatewayError::IdempotencyKeyReused)
    }

    /// Verifies a voucher, sets its key, and counts it against the channel's rate limit.
    async fn verify(
        &self,
        address: &Pubkey,
        voucher: &mut SignedVoucher,
        generations: u32,
    ) -> Result<Arc<ChannelHandle>, GatewayError> {
        // Ledgers may be ahead of a disk that has failed.
        if let Some(failure) = self.channels.store().writer().failure() {
            return Err(GatewayError::StoreFailed(failure));
        }
        let channel = self.channels.get(address).await?;
        channel.verify(voucher, &self.verifier, self.cluster.now()).await?;
        self.admission.channel(address, generations)?;
        self.policy.wake_channel(&channel).await;
        Ok(channel)
    }

    /// Executes a payment, once more if the channel's lease was lost meanwhile.
    async fn execute(
        &self,
        channel: &Arc<ChannelHandle>,
        payment: Payment<'_>,
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        match self.try_execute(channel, payment, caller).await {
            // Nothing was written, and the handle is removed.
            Err(GatewayError::ChannelMoving) => {
                let channel = self.channels.get(&channel.address).await?;
                Box::pin(self.try_execute(&channel, payment, caller)).await
            }
            receipts => receipts,
        }
    }

    async fn try_execute(
        &self,
        channel: &ChannelHandle,
        payment: Payment<'_>,
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        self.failpoints.hit(Failpoint::Reserving);
        match self.reserve(channel, payment, caller)? {
            Decision::Accepted(issued) => {
                self.failpoints.hit(Failpoint::Reserved);
                let receipts = self.channels.commit(channel, issued).await?;
                self.failpoints.hit(Failpoint::Answering);
                self.metrics.generations.inc_by(receipts.len() as u64);
                let prices = receipts.iter().map(|signed| signed.receipt.amount).sum();
                self.metrics.prices.inc_by(prices);
                self.policy.wake_if_large(channel);
                Ok(receipts)
            }
            Decision::Earlier => Box::pin(self.repeat(channel, payment)).await,
            Decision::Cut(written) => {
                self.channels.commit(channel, written).await?;
                self.policy.wake();
                Err(channel.lock().rejected(LedgerError::StatementClosed))
            }
        }
    }

    /// Decides on a payment and queues it, under the channel's lock.
    fn reserve(
        &self,
        channel: &ChannelHandle,
        payment: Payment<'_>,
        caller: &Caller,
    ) -> Result<Decision, GatewayError> {
        let now = self.cluster.now();
        let (requested, keys) = (payment.requested(), payment.keys());
        let store = self.channels.store();
        let mut locked = channel.lock();
        let open = locked.ledger.open_statement().number;
        let statement = payment.voucher.voucher.statement;
        let is_known = statement == open && keys.iter().any(|key| locked.keys.contains_key(&**key));
        if is_known || statement < open {
            return Ok(Decision::Earlier);
        }
        self.policy.check_settleable(channel)?;
        self.keys.check_settle()?;
        self.keys.check_receipts()?;
        let missing = self.missing_parts(payment.generations);
        if !missing.is_empty() {
            return Err(match payment.generations.len() {
                1 => locked.rejected(LedgerError::UnknownHold),
                _ => GatewayError::BatchItems(missing),
            });
        }
        let reservation = match locked.ledger.reserve(payment.voucher, &requested, now) {
            Ok(reservation) => reservation,
            Err(error) => {
                if error == LedgerError::StatementFull
                    && self.policy.is_worthwhile(&locked.ledger, now)
                    && let Some((_, written)) = locked.cut(channel.lease, store, now)
                {
                    return Ok(Decision::Cut(written));
                }
                let refused = locked.ledger.refusals(&requested, now);
                // A batch of one is answered as a single generation.
                if requested.len() > 1 && !refused.is_empty() {
                    return Err(GatewayError::BatchItems(refused));
                }
                return Err(locked.rejected(error));
            }
        };
        let charged = reservation.charged;
        let budget = caller.0.as_ref().map(|key| key.reserve(charged)).transpose()?;
        locked.commit(&keys, &reservation, now);
        let generations = build_generations(channel, payment, &reservation, caller, now);
        // Queued under the lock, so that vouchers reach the disk in the ledger's order.
        let change = Change::Generations { generations, holds: reservation.holds().collect() };
        Ok(Decision::Accepted(store.writer().issue(channel.lease, change, budget)))
    }

    /// Returns the generations that pay for a later part of a stream which cannot be paid for any more, such
    /// as those of a payer that was stopped meanwhile.
    fn missing_parts(&self, generations: &[BatchedGeneration]) -> Vec<(usize, LedgerError)> {
        let keepers = self.part_keepers.read();
        let is_missing = |one: &BatchedGeneration| match one.captures {
            Some(Captured::Part(part)) => !keepers.iter().any(|has| has(part.0)),
            Some(Captured::Hold(_)) | None => false,
        };
        let missing = generations.iter().enumerate().filter(|(_, one)| is_missing(one));
        missing.map(|(position, _)| (position, LedgerError::UnknownHold)).collect()
    }

    /// Returns the receipts of an earlier payment if it was the same, and an error otherwise.
    async fn repeat(
        &self,
        channel: &ChannelHandle,
        payment: Payment<'_>,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        let store = self.channels.store();
        // The earlier payment may not be on disk yet.
        store.writer().flush().await?;
        let statement = payment.voucher.voucher.statement;
        let mut earlier: HashMap<Cow<'_, str>, VecDeque<Generation>> = HashMap::new();
        for key in payment.keys() {
            let found = store.lookup().by_key(channel.id(), statement, &key).await?;
            if !found.is_empty() {
                earlier.insert(key, found.into());
            }
        }
        if earlier.is_empty() {
            return Err(channel.lock().rejected(LedgerError::StatementClosed));
        }
        let has_captures_only = !earlier.contains_key(payment.key);
        let (mut receipts, mut refused) = (Vec::new(), Vec::new());
        for (position, one) in payment.generations.iter().enumerate() {
            let key = payment.key_of(one);
            let is_paid = earlier.contains_key(&key);
            let next = earlier.get_mut(&key).and_then(VecDeque::pop_front);
            match next.filter(|earlier| is_same(earlier, payment.voucher, one)) {
                Some(generation) => receipts.push(generation.receipt),
                None if is_paid => refused.push((position, LedgerError::UnknownHold)),
                None => {}
            }
        }
        let is_complete = earlier.values().all(VecDeque::is_empty);
        if is_complete && receipts.len() == payment.generations.len() {
            self.metrics.repeated.inc();
            return Ok(receipts);
        }
        // Another payment has captured some holds; the rest was not paid for.
        if has_captures_only && payment.generations.len() > 1 {
            if refused.is_empty() {
                let captured = payment.generations.iter().enumerate();
                let captured =
                    captured.filter(|(_, one)| earlier.contains_key(&payment.key_of(one)));
                refused =
                    captured.map(|(position, _)| (position, LedgerError::UnknownHold)).collect();
            }
            return Err(GatewayError::BatchItems(refused));
        }
        Err(GatewayError::IdempotencyKeyReused)
    }
}

impl Payment<'_> {
    fn requested(&self) -> Vec<Requested> {
        let requested = |one: &BatchedGeneration| Requested {
            item: Item { license: one.license, units: one.units },
            hold: match one.captures {
                Some(Captured::Hold(hold)) => Some(hold.0),
                Some(Captured::Part(_)) | None => None,
            },
            request_digest: one.request_digest.0,
        };
        self.generations.iter().map(requested).collect()
    }

    /// Returns the idempotency key of a generation.
    fn key_of(&self, one: &BatchedGeneration) -> Cow<'_, str> {
        match one.captures {
            Some(captured) => Cow::Owned(capture_key(captured)),
            None => Cow::Borrowed(self.key),
        }
    }

    /// Returns all idempotency keys, each once.
    fn keys(&self) -> Vec<Cow<'_, str>> {
        let captures = self.generations.iter().filter(|one| one.captures.is_some());
        let mut keys: Vec<_> = captures.map(|one| self.key_of(one)).collect();
        if keys.len() < self.generations.len() {
            keys.push(Cow::Borrowed(self.key));
        }
        keys
    }
}

impl LockedChannel {
    /// Commits a reservation under its idempotency keys.
    fn commit(&mut self, keys: &[Cow<'_, str>], reservation: &Reservation, now: i64) {
        self.ledger.commit(reservation, now);
        self.keys.extend(keys.iter().map(|key| (key.to_string(), reservation.position)));
    }
}

/// Returns whether an earlier generation is the same, with the same voucher, which its signature
/// identifies. A batch of one equals a single generation.
fn is_same(earlier: &Generation, voucher: &SignedVoucher, one: &BatchedGeneration) -> bool {
    let receipt = &earlier.receipt.receipt;
    earlier.voucher_signature == voucher.signature
        && (receipt.license, receipt.units) == (one.license, one.units)
        && receipt.request_digest == one.request_digest.0
        && receipt.output_digest == one.output_digest.0
}

/// Returns the generations to store, with unsigned receipts.
fn build_generations(
    channel: &ChannelHandle,
    payment: Payment<'_>,
    reservation: &Reservation,
    caller: &Caller,
    now: i64,
) -> Vec<Generation> {
    let items = payment.generations.iter().zip(&reservation.items).zip(0..);
    let mut parts = 0..;
    let generation = |((one, priced), place): ((&BatchedGeneration, &PricedItem), u32)| {
        let receipt = Receipt {
            channel: channel.address,
            opened_slot: channel.opened_slot,
            statement: reservation.statement,
            position: reservation.position + place,
            license: one.license,
            units: one.units,
            terms_number: priced.terms_number,
            amount: priced.price,
            cumulative: reservation.cumulative,
            work: priced.work,
            request_digest: one.request_digest.0,
            output_digest: one.output_digest.0,
            issued_at: now,
        };
        Generation {
            channel_id: channel.id(),
            idempotency_key: payment.key_of(one).into_owned(),
            part: if one.captures.is_some() { 0 } else { parts.next().unwrap_or_default() },
            receipt: SignedReceipt::unsigned(receipt),
            voucher_key: reservation.voucher.key,
            voucher_expires_at: reservation.voucher.voucher.expires_at,
            voucher_signature: reservation.voucher.signature,
            api_key: caller.0.as_ref().map(|key| key.id()),
            // Fees depend on totals: the first generation is charged the fee of all.
            charged: match place {
                0 => reservation.charged - reservation.price + priced.price,
                _ => priced.price,
            },
        }
    };
    items.map(generation).collect()
}

/// Returns the idempotency key of a captured hold or a later part of a streamed answer. Its space
/// keeps it apart from clients' keys.
pub(crate) fn capture_key(captured: Captured) -> String {
    match captured {
        Captured::Hold(hold) => format!("hold {hold}"),
        Captured::Part(part) => format!("part {part}"),
    }
}
