//! One generation: verify, reserve, make durable, acknowledge.

use std::sync::Arc;

use motif_sdk::{
    Pubkey,
    gateway::{IdempotencyKey, wire::GenerationRequest},
    receipt::{Receipt, SignedReceipt},
    voucher::SignedVoucher,
};
use solana_sha256_hasher::hash;

use crate::{
    Gateway,
    desk::{Book, Desk},
    keys::Caller,
    ledger::{Item, Refusal, Reserved, Wanted},
    problem::ApiError,
    store::{Change, Generation, Written},
};

/// Where a request stands after a look into the book.
#[expect(clippy::large_enum_variant, reason = "one at a time, for the length of a request")]
enum Standing {
    /// Taken; to be acknowledged once it is on disk.
    Taken(SignedReceipt, Written),
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
        let desk = self.desk(&address)?;
        let voucher = verified(&desk, &request)?;
        self.admission().channel(&address, 1)?;
        let body_digest = body_digest(&request)?;
        match self.stand(&desk, &key, &request, voucher, body_digest, caller)? {
            Standing::Taken(receipt, written) => {
                written.await?;
                self.metrics().generations.inc();
                self.metrics().prices.inc_by(receipt.receipt.amount);
                self.settle_if_large(&desk);
                Ok(receipt)
            }
            Standing::Earlier => self.earlier(&desk, &key, &request, body_digest).await,
            Standing::Cut(written) => {
                written.await?;
                self.wake().notify_one();
                Err(closed(&desk.book()))
            }
        }
    }

    /// The one moment in which a generation is taken or not, per channel one at a time.
    fn stand(
        &self,
        desk: &Desk,
        key: &IdempotencyKey,
        request: &GenerationRequest,
        voucher: SignedVoucher,
        body_digest: [u8; 32],
        caller: &Caller,
    ) -> Result<Standing, ApiError> {
        let now = self.now();
        let items = vec![Item { licence: request.licence, units: request.units }];
        let wanted = Wanted { items, voucher };
        let mut book = desk.book();
        let open = book.ledger.open_statement().number;
        let is_known = voucher.voucher.statement == open && book.keys.contains_key(key.as_str());
        if is_known || voucher.voucher.statement < open {
            return Ok(Standing::Earlier);
        }
        let weighed = match book.ledger.weigh(&wanted, now) {
            Ok(weighed) => weighed,
            Err(Refusal::StatementFull) => {
                let cut = book.cut(desk.id, self.store(), now);
                let (_, written) = cut.ok_or(ApiError::refused(Refusal::StatementFull))?;
                return Ok(Standing::Cut(written));
            }
            Err(refusal) => return Err(refused(&book, refusal)),
        };
        let charged = weighed.charged;
        let set_aside = caller.0.as_ref().map(|key| key.set_aside(charged)).transpose()?;
        let taken = book.ledger.take(weighed, now);
        let reserved = taken.map_err(|refusal| refused(&book, refusal))?;
        if let Some(set_aside) = set_aside {
            set_aside.keep();
        }
        let receipt = SignedReceipt::sign(receipt(desk, request, &reserved, now), self.key());
        book.keys.insert(key.as_str().to_owned(), reserved.position);
        let generation = Generation {
            channel_id: desk.id,
            idempotency_key: key.as_str().to_owned(),
            body_digest,
            receipt,
            voucher_expires_at: voucher.voucher.expires_at,
            voucher_signature: voucher.signature,
            api_key: caller.0.as_ref().map(|key| key.id()),
            charged,
        };
        // Queued before the book is released: on disk, too, each voucher follows the one it
        // covers.
        let written = self.store().write(Change::Generation(Box::new(generation)));
        Ok(Standing::Taken(receipt, written))
    }

    /// Answers a retry with what was answered first, and everything else with a refusal.
    async fn earlier(
        &self,
        desk: &Desk,
        key: &IdempotencyKey,
        request: &GenerationRequest,
        body_digest: [u8; 32],
    ) -> Result<SignedReceipt, ApiError> {
        // The first request may still be on its way to the disk.
        self.store().flush().await?;
        let statement = request.voucher.statement;
        match self.store().generation(desk.id, statement, key.as_str()).await? {
            Some(earlier) if earlier.body_digest == body_digest => {
                self.metrics().repeated.inc();
                Ok(earlier.receipt)
            }
            Some(_) => Err(ApiError::IdempotencyKeyReused),
            None => Err(closed(&desk.book())),
        }
    }

    /// Wakes the worker where it should not wait for its next round.
    fn settle_if_large(&self, desk: &Arc<Desk>) {
        let is_large = {
            let book = desk.book();
            let (open, policy) = (book.ledger.open_statement(), self.config().settle);
            open.receipts >= policy.at_receipts
                || policy.at_amount.is_some_and(|amount| open.prices >= amount)
        };
        if is_large {
            self.wake().notify_one();
        }
    }
}

/// The voucher, if the channel's voucher key signed it for this channel.
fn verified(desk: &Desk, request: &GenerationRequest) -> Result<SignedVoucher, ApiError> {
    let parts = &request.voucher;
    let for_this_channel = parts.channel.0 == desk.address
        && parts.opened_slot == desk.opened_slot
        && parts.cluster.0 == desk.cluster;
    if !for_this_channel {
        return Err(ApiError::VoucherOtherChannel);
    }
    let signed = parts.signed_by(desk.voucher_key);
    if signed.verifies() { Ok(signed) } else { Err(ApiError::VoucherSignature) }
}

/// SHA-256 of what was asked, however its JSON was spaced.
fn body_digest(request: &GenerationRequest) -> Result<[u8; 32], ApiError> {
    let body = serde_json::to_vec(request).map_err(|error| ApiError::Internal(error.into()))?;
    Ok(hash(&body).to_bytes())
}

fn receipt(desk: &Desk, request: &GenerationRequest, reserved: &Reserved, now: i64) -> Receipt {
    Receipt {
        channel: desk.address,
        opened_slot: desk.opened_slot,
        statement: reserved.statement,
        position: reserved.position,
        licence: request.licence,
        units: request.units,
        terms_number: reserved.parts[0].terms_number,
        amount: reserved.price,
        cumulative: reserved.cumulative,
        work: reserved.parts[0].work,
        request_digest: request.request_digest.0,
        output_digest: request.output_digest.0,
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
        | Refusal::NoUnits
        | Refusal::UnknownLicence(_)
        | Refusal::StatementFull
        | Refusal::LicenceLimit { .. }
        | Refusal::LicenceEnding { .. }
        | Refusal::Underfunded { .. }
        | Refusal::OverBudget { .. }
        | Refusal::ExpiresTooSoon { .. }
        | Refusal::AmountTooLarge => None,
    };
    ApiError::Refused { refusal, expected: cumulative.map(|total| book.expected(total)) }
}

fn closed(book: &Book) -> ApiError {
    refused(book, Refusal::StatementClosed)
}
