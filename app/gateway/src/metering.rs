//! Generations: verify, reserve, make durable, acknowledge.

use std::sync::Arc;

use motif_sdk::{
    Pubkey,
    gateway::{
        IdempotencyKey,
        wire::{BatchRequest, BatchedGeneration, GenerationRequest, VoucherParts},
    },
    receipt::{Receipt, SignedReceipt},
    voucher::SignedVoucher,
};

use crate::{
    Gateway,
    desk::{Book, Desk},
    keys::Caller,
    ledger::{HoldId, Item, Part, Refusal, Wanted},
    problem::ApiError,
    store::{Change, Failpoint, Generation, Issued, Written},
};

/// What is asked for with one voucher, and how it is named.
struct Asked<'a> {
    key: &'a str,
    voucher: SignedVoucher,
    generations: &'a [BatchedGeneration],
    /// The hold it captures.
    hold: Option<HoldId>,
}

impl Asked<'_> {
    /// Whether this very request paid for these: for each of them, with the same voucher, which its
    /// signature stands for. A batch of one asks for what a single generation does.
    fn is_what_paid_for(&self, earlier: &[Generation]) -> bool {
        let same = |(one, asked): (&Generation, &BatchedGeneration)| {
            let receipt = &one.receipt.receipt;
            one.voucher_signature == self.voucher.signature
                && (receipt.license, receipt.units) == (asked.license, asked.units)
                && receipt.request_digest == asked.request_digest.0
                && receipt.output_digest == asked.output_digest.0
        };
        earlier.len() == self.generations.len() && earlier.iter().zip(self.generations).all(same)
    }
}

/// Where a request stands after a look into the book.
enum Standing {
    /// Taken; to be acknowledged once it is on disk.
    Taken(Issued),
    /// Its key was used in the open statement, or its statement is not open any more.
    Earlier,
    /// The open statement had no room for it and was cut.
    Cut(Written),
}

impl Gateway {
    /// Takes payment for a generation and returns its receipt.
    ///
    /// Idempotent: the same request under the same key yields the same receipt, also after
    /// its statement has settled.
    ///
    /// # Errors
    /// Every [`ApiError`] of a generation. Unless it is [`ApiError::StoreFailed`], nothing
    /// was taken.
    pub async fn accept(
        &self,
        address: Pubkey,
        key: IdempotencyKey,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, ApiError> {
        let (desk, voucher) = self.verified(&address, &request.voucher, 1).await?;
        let asked =
            Asked { key: key.as_str(), voucher, generations: &[request.generation()], hold: None };
        self.pay_for_one(&desk, &asked, caller).await
    }

    /// Takes payment for several generations, all or none, and returns their receipts in order.
    ///
    /// Idempotent, as [`Gateway::accept`].
    ///
    /// # Errors
    /// As [`Gateway::accept`]; [`ApiError::BatchSize`].
    pub async fn accept_batch(
        &self,
        address: Pubkey,
        key: IdempotencyKey,
        request: BatchRequest,
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, ApiError> {
        let count = request.generations.len();
        if !(1..=BatchRequest::MOST).contains(&count) {
            return Err(ApiError::BatchSize(count));
        }
        let (desk, voucher) = self.verified(&address, &request.voucher, count as u32).await?;
        let asked =
            Asked { key: key.as_str(), voucher, generations: &request.generations, hold: None };
        self.pay_for(&desk, &asked, caller).await
    }

    /// Takes payment for a generation that room was held for, and ends the hold.
    pub(crate) async fn accept_held(
        &self,
        address: Pubkey,
        hold: HoldId,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, ApiError> {
        let (desk, voucher) = self.verified(&address, &request.voucher, 1).await?;
        let key = hold_key(&hold);
        let asked =
            Asked { key: &key, voucher, generations: &[request.generation()], hold: Some(hold) };
        self.pay_for_one(&desk, &asked, caller).await
    }

    /// Takes payment for a later part of an answer that streams. Idempotent, as
    /// [`Gateway::accept`], under the part's name.
    pub(crate) async fn accept_part(
        &self,
        address: Pubkey,
        part: HoldId,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, ApiError> {
        let (desk, voucher) = self.verified(&address, &request.voucher, 1).await?;
        let key = part_key(&part);
        let asked = Asked { key: &key, voucher, generations: &[request.generation()], hold: None };
        self.pay_for_one(&desk, &asked, caller).await
    }

    /// The receipt that captured a hold, or paid for a later part of an answer that streams.
    /// Looked for in the statements of about as long as answers are kept.
    pub(crate) async fn receipt_of(
        &self,
        address: Pubkey,
        id: HoldId,
        part: u32,
    ) -> Result<Option<SignedReceipt>, ApiError> {
        const STATEMENTS: u64 = 64;
        let (channel_id, open) = match self.desk(&address).await {
            Ok(desk) => (desk.id(), desk.book().ledger.open_statement().number),
            // Whoever holds the channel now, what was paid is in the store that all share.
            Err(error) if error.is_moved() => self.recorded_open(&address).await?,
            Err(error) => return Err(error),
        };
        let key = if part == 0 { hold_key(&id) } else { part_key(&id) };
        self.store().writer().flush().await?;
        for statement in (open.saturating_sub(STATEMENTS)..=open).rev() {
            let named = self.store().lookup().by_key(channel_id, statement, &key).await?;
            if let Some(generation) = named.first() {
                return Ok(Some(generation.receipt));
            }
        }
        Ok(None)
    }

    async fn pay_for_one(
        &self,
        desk: &Arc<Desk>,
        asked: &Asked<'_>,
        caller: &Caller,
    ) -> Result<SignedReceipt, ApiError> {
        let receipts = self.pay_for(desk, asked, caller).await?;
        // One was asked for, and a key names what was asked for with it.
        receipts.first().copied().ok_or(ApiError::IdempotencyKeyReused)
    }

    async fn pay_for(
        &self,
        desk: &Arc<Desk>,
        asked: &Asked<'_>,
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, ApiError> {
        match self.pay_at(desk, asked, caller).await {
            // Nothing was written, and the desk is closed. Who has the channel now?
            Err(ApiError::ChannelMoving) => {
                let desk = self.desk(&desk.address).await?;
                Box::pin(self.pay_at(&desk, asked, caller)).await
            }
            answer => answer,
        }
    }

    async fn pay_at(
        &self,
        desk: &Arc<Desk>,
        asked: &Asked<'_>,
        caller: &Caller,
    ) -> Result<Vec<SignedReceipt>, ApiError> {
        self.hit(Failpoint::Reserving);
        match self.stand(desk, asked, caller)? {
            Standing::Taken(issued) => {
                self.hit(Failpoint::Reserved);
                let receipts = self.on_disk(desk, issued).await?;
                self.hit(Failpoint::Answering);
                self.metrics().generations.inc_by(receipts.len() as u64);
                let prices = receipts.iter().map(|signed| signed.receipt.amount).sum();
                self.metrics().prices.inc_by(prices);
                self.settle_if_large(desk);
                Ok(receipts)
            }
            Standing::Earlier => Box::pin(self.earlier(desk, asked)).await,
            Standing::Cut(written) => {
                self.on_disk(desk, written).await?;
                self.wake().notify_one();
                Err(closed(&desk.book()))
            }
        }
    }

    /// The desk of a channel and a voucher that its voucher key has signed for it.
    async fn verified(
        &self,
        address: &Pubkey,
        parts: &VoucherParts,
        generations: u32,
    ) -> Result<(Arc<Desk>, SignedVoucher), ApiError> {
        // The ledger may be ahead of a disk that has failed: nothing it says is good any more.
        if let Some(failure) = self.store().writer().failure() {
            return Err(ApiError::StoreFailed(failure));
        }
        let desk = self.desk(address).await?;
        let for_this_channel = parts.channel.0 == desk.address
            && parts.opened_slot == desk.opened_slot
            && parts.cluster.0 == desk.cluster;
        if !for_this_channel {
            return Err(ApiError::VoucherOtherChannel);
        }
        let signed = parts.signed_by(desk.voucher_key(self.now()));
        let key = desk.read_key(&signed.key).ok_or(ApiError::VoucherSignature)?;
        let message = signed.voucher.to_bytes();
        if !self.verifier().verify(&key, &message, &signed.signature).await {
            return Err(ApiError::VoucherSignature);
        }
        self.admission().channel(address, generations)?;
        Ok((desk, signed))
    }

    /// The one moment in which generations are taken or not, per channel one at a time.
    fn stand(&self, desk: &Desk, asked: &Asked<'_>, caller: &Caller) -> Result<Standing, ApiError> {
        let now = self.now();
        let item = |one: &BatchedGeneration| Item { license: one.license, units: one.units };
        let items = asked.generations.iter().map(item).collect();
        let wanted = Wanted { items, voucher: asked.voucher, hold: asked.hold };
        let mut book = desk.book();
        let (open, statement) =
            (book.ledger.open_statement().number, asked.voucher.voucher.statement);
        let is_known = statement == open && book.keys.contains_key(asked.key);
        if is_known || statement < open {
            return Ok(Standing::Earlier);
        }
        self.check_sight(desk)?;
        let weighed = match book.ledger.weigh(&wanted, now) {
            Ok(weighed) => weighed,
            Err(Refusal::StatementFull) => {
                let cut = book.cut(desk.lease, self.store(), now);
                let (_, written) = cut.ok_or(ApiError::refused(Refusal::StatementFull))?;
                return Ok(Standing::Cut(written));
            }
            Err(refusal) => return Err(refused(&book, refusal)),
        };
        let charged = weighed.charged;
        let reservation = caller.0.as_ref().map(|key| key.reserve(charged)).transpose()?;
        let taken = book.ledger.take(weighed, now);
        let reserved = taken.map_err(|refusal| refused(&book, refusal))?;
        book.keys.insert(asked.key.to_owned(), reserved.position);
        let mut generations = Vec::with_capacity(reserved.parts.len());
        for ((one, part), place) in asked.generations.iter().zip(&reserved.parts).zip(0..) {
            let position = reserved.position + place;
            let receipt = receipt(desk, asked, one, part, position, now);
            generations.push(Generation {
                channel_id: desk.id(),
                idempotency_key: asked.key.to_owned(),
                part: place,
                receipt: SignedReceipt::unsigned(receipt),
                voucher_key: asked.voucher.key,
                voucher_expires_at: asked.voucher.voucher.expires_at,
                voucher_signature: asked.voucher.signature,
                api_key: caller.0.as_ref().map(|key| key.id()),
                // The fee grows with totals: the first has it for all.
                charged: if place == 0 {
                    charged - reserved.price + part.price
                } else {
                    part.price
                },
            });
        }
        // Queued before the book is released: on disk, too, each voucher follows the one it
        // covers.
        let change = Change::Generations { generations, hold: asked.hold };
        Ok(Standing::Taken(self.store().writer().issue(desk.lease, change, reservation)))
    }

    /// Answers a retry with what was answered first, and everything else with a refusal.
    async fn earlier(
        &self,
        desk: &Desk,
        asked: &Asked<'_>,
    ) -> Result<Vec<SignedReceipt>, ApiError> {
        // The first request may still be on its way to the disk.
        self.store().writer().flush().await?;
        let statement = asked.voucher.voucher.statement;
        let earlier = self.store().lookup().by_key(desk.id(), statement, asked.key).await?;
        if earlier.is_empty() {
            return Err(closed(&desk.book()));
        }
        if !asked.is_what_paid_for(&earlier) {
            return Err(ApiError::IdempotencyKeyReused);
        }
        self.metrics().repeated.inc();
        Ok(earlier.iter().map(|generation| generation.receipt).collect())
    }

    /// Wakes the worker where it should not wait for its next round.
    fn settle_if_large(&self, desk: &Arc<Desk>) {
        let is_large = {
            let book = desk.book();
            let (open, policy) = (book.ledger.open_statement(), self.config().settle);
            // Half of what may be exposed leaves time to settle before anything is refused.
            let half = policy.max_exposure.map(|most| most / 2);
            open.receipts >= policy.at_receipts
                || policy.at_amount.is_some_and(|amount| open.prices >= amount)
                || half.is_some_and(|half| book.ledger.exposed() >= half)
        };
        if is_large {
            self.wake().notify_one();
        }
    }
}

/// The key under which a hold is captured. No header can hold it: it has a space in it.
fn hold_key(hold: &HoldId) -> String {
    format!("hold {}", motif_sdk::gateway::wire::Digest(*hold))
}

/// As [`hold_key`], for a part that has no hold of its own.
fn part_key(part: &HoldId) -> String {
    format!("part {}", motif_sdk::gateway::wire::Digest(*part))
}

fn receipt(
    desk: &Desk,
    asked: &Asked<'_>,
    one: &BatchedGeneration,
    part: &Part,
    position: u32,
    now: i64,
) -> Receipt {
    Receipt {
        channel: desk.address,
        opened_slot: desk.opened_slot,
        statement: asked.voucher.voucher.statement,
        position,
        license: one.license,
        units: one.units,
        terms_number: part.terms_number,
        amount: part.price,
        cumulative: asked.voucher.voucher.cumulative,
        work: part.work,
        request_digest: one.request_digest.0,
        output_digest: one.output_digest.0,
        issued_at: now,
    }
}

/// A refusal, with what the ledger has where the payer's picture of it differs.
fn refused(book: &Book, refusal: Refusal) -> ApiError {
    let current = || book.ledger.cumulative().unwrap_or(u64::MAX);
    let cumulative = match refusal {
        Refusal::WrongPrice { expected, .. } => Some(expected),
        Refusal::StatementClosed
        | Refusal::StatementAhead { .. }
        | Refusal::NotNewer { .. }
        | Refusal::StatementMismatch => Some(current()),
        Refusal::ChannelClosing
        | Refusal::VoucherKeyRotating { .. }
        | Refusal::NoUnits
        | Refusal::LicenseNotFound(_)
        | Refusal::StatementFull
        | Refusal::LicenseLimit { .. }
        | Refusal::LicenseEnding { .. }
        | Refusal::Underfunded { .. }
        | Refusal::OverBudget { .. }
        | Refusal::UnknownHold
        | Refusal::HoldExceeded { .. }
        | Refusal::HoldsFull
        | Refusal::SettlementDue { .. }
        | Refusal::Exposed { .. }
        | Refusal::ExpiresTooSoon { .. }
        | Refusal::AmountTooLarge => None,
    };
    ApiError::Refused { refusal, expected: cumulative.map(|total| book.expected(total)) }
}

fn closed(book: &Book) -> ApiError {
    refused(book, Refusal::StatementClosed)
}
