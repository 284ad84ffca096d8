//! Generations: verify, reserve, make durable, acknowledge.

use std::sync::Arc;

use motif_ed25519_batch::Verifier;
use motif_sdk::{
    Pubkey,
    gateway::{
        IdempotencyKey,
        wire::{BatchRequest, BatchedGeneration, Digest, GenerationRequest},
    },
    receipt::{Receipt, SignedReceipt},
    voucher::SignedVoucher,
};

use crate::{
    admission::Admission,
    channel::{ChannelHandle, LockedChannel},
    channel_registry::ChannelRegistry,
    cluster::Cluster,
    error::GatewayError,
    keys::Caller,
    ledger::{HoldId, Item, LedgerError, Reservation},
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
}

/// Idempotency key of a payment.
#[derive(Clone, Copy)]
struct PaymentKey<'a> {
    text: &'a str,
    /// Hold that the payment captures.
    hold: Option<HoldId>,
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
        self.pay_one(channel, PaymentKey { text: key.as_str(), hold: None }, request, caller).await
    }

    /// Takes payment for several generations, all or none, and returns their receipts in order.
    ///
    /// Idempotent, as [`Metering::pay`].
    ///
    /// # Errors
    /// As [`Metering::pay`]; [`GatewayError::BatchSize`].
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
        let key = PaymentKey { text: key.as_str(), hold: None };
        self.execute(&channel, key, &request.voucher, &request.generations, caller).await
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
        let key = PaymentKey { text: &hold_key(&hold), hold: Some(hold) };
        self.pay_one(channel, key, request, caller).await
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
        let key = PaymentKey { text: &part_key(&part), hold: None };
        self.pay_one(channel, key, request, caller).await
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
        let key = if part == 0 { hold_key(&id) } else { part_key(&id) };
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
        key: PaymentKey<'_>,
        mut request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        let channel = self.verify(&channel, &mut request.voucher, 1).await?;
        let generation = [request.generation()];
        let receipts = self.execute(&channel, key, &request.voucher, &generation, caller).await?;
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
        key: PaymentKey<'_>,
        voucher: &SignedVoucher,
        generations: &[BatchedGeneration],
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        match self.try_execute(channel, key, voucher, generations, caller).await {
            // Nothing was written, and the handle is removed.
            Err(GatewayError::ChannelMoving) => {
                let channel = self.channels.get(&channel.address).await?;
                Box::pin(self.try_execute(&channel, key, voucher, generations, caller)).await
            }
            receipts => receipts,
        }
    }

    async fn try_execute(
        &self,
        channel: &ChannelHandle,
        key: PaymentKey<'_>,
        voucher: &SignedVoucher,
        generations: &[BatchedGeneration],
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        self.failpoints.hit(Failpoint::Reserving);
        match self.reserve(channel, key, voucher, generations, caller)? {
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
            Decision::Earlier => Box::pin(self.repeat(channel, key, voucher, generations)).await,
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
        key: PaymentKey<'_>,
        voucher: &SignedVoucher,
        generations: &[BatchedGeneration],
        caller: &Caller,
    ) -> Result<Decision, GatewayError> {
        let now = self.cluster.now();
        let item = |one: &BatchedGeneration| Item { license: one.license, units: one.units };
        let items: Vec<_> = generations.iter().map(item).collect();
        let store = self.channels.store();
        let mut locked = channel.lock();
        let open = locked.ledger.open_statement().number;
        let statement = voucher.voucher.statement;
        let is_known = statement == open && locked.keys.contains_key(key.text);
        if is_known || statement < open {
            return Ok(Decision::Earlier);
        }
        self.policy.check_settleable(channel)?;
        self.keys.check_settle()?;
        self.keys.check_receipts()?;
        let reservation = match locked.ledger.reserve(voucher, &items, key.hold, now) {
            Ok(reservation) => reservation,
            Err(LedgerError::StatementFull) => {
                let full = GatewayError::rejected(LedgerError::StatementFull);
                if !self.policy.is_worthwhile(&locked.ledger, now) {
                    return Err(full);
                }
                let cut = locked.cut(channel.lease, store, now);
                let (_, written) = cut.ok_or(full)?;
                return Ok(Decision::Cut(written));
            }
            Err(error) => return Err(locked.rejected(error)),
        };
        let charged = reservation.charged;
        let budget = caller.0.as_ref().map(|key| key.reserve(charged)).transpose()?;
        locked.commit(key.text, &reservation, now);
        let generations = build_generations(channel, key, &reservation, generations, caller, now);
        // Queued under the lock, so that vouchers reach the disk in the ledger's order.
        let change = Change::Generations { generations, hold: key.hold };
        Ok(Decision::Accepted(store.writer().issue(channel.lease, change, budget)))
    }

    /// Returns the receipts of an earlier payment if it was the same, and an error otherwise.
    async fn repeat(
        &self,
        channel: &ChannelHandle,
        key: PaymentKey<'_>,
        voucher: &SignedVoucher,
        generations: &[BatchedGeneration],
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        let store = self.channels.store();
        // The earlier payment may not be on disk yet.
        store.writer().flush().await?;
        let statement = voucher.voucher.statement;
        let earlier = store.lookup().by_key(channel.id(), statement, key.text).await?;
        if earlier.is_empty() {
            return Err(channel.lock().rejected(LedgerError::StatementClosed));
        }
        if !is_same(&earlier, voucher, generations) {
            return Err(GatewayError::IdempotencyKeyReused);
        }
        self.metrics.repeated.inc();
        Ok(earlier.iter().map(|generation| generation.receipt).collect())
    }
}

impl LockedChannel {
    /// Commits a reservation under its idempotency key.
    fn commit(&mut self, key: &str, reservation: &Reservation, now: i64) {
        self.ledger.commit(reservation, now);
        self.keys.insert(key.to_owned(), reservation.position);
    }
}

/// Returns whether `earlier` are the generations of a payment, with the same voucher, which its
/// signature identifies. A batch of one equals a single generation.
fn is_same(
    earlier: &[Generation],
    voucher: &SignedVoucher,
    generations: &[BatchedGeneration],
) -> bool {
    let same = |(earlier, one): (&Generation, &BatchedGeneration)| {
        let receipt = &earlier.receipt.receipt;
        earlier.voucher_signature == voucher.signature
            && (receipt.license, receipt.units) == (one.license, one.units)
            && receipt.request_digest == one.request_digest.0
            && receipt.output_digest == one.output_digest.0
    };
    earlier.len() == generations.len() && earlier.iter().zip(generations).all(same)
}

/// Returns the generations to store, with unsigned receipts.
fn build_generations(
    channel: &ChannelHandle,
    key: PaymentKey<'_>,
    reservation: &Reservation,
    generations: &[BatchedGeneration],
    caller: &Caller,
    now: i64,
) -> Vec<Generation> {
    let items = generations.iter().zip(&reservation.items).zip(0..);
    let generation = |((one, priced), part): ((&BatchedGeneration, _), u32)| {
        let priced: &crate::ledger::PricedItem = priced;
        let receipt = Receipt {
            channel: channel.address,
            opened_slot: channel.opened_slot,
            statement: reservation.statement,
            position: reservation.position + part,
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
            idempotency_key: key.text.to_owned(),
            part,
            receipt: SignedReceipt::unsigned(receipt),
            voucher_key: reservation.voucher.key,
            voucher_expires_at: reservation.voucher.voucher.expires_at,
            voucher_signature: reservation.voucher.signature,
            api_key: caller.0.as_ref().map(|key| key.id()),
            // Fees depend on totals: the first generation is charged the fee of all.
            charged: match part {
                0 => reservation.charged - reservation.price + priced.price,
                _ => priced.price,
            },
        }
    };
    items.map(generation).collect()
}

/// Returns the idempotency key of a captured hold. Its space keeps it apart from clients' keys.
fn hold_key(hold: &HoldId) -> String {
    format!("hold {}", Digest(*hold))
}

/// Returns the idempotency key of a later part of a streamed answer.
fn part_key(part: &HoldId) -> String {
    format!("part {}", Digest(*part))
}
