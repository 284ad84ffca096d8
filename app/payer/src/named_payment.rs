use axum::http::HeaderMap;
use motif_sdk::{
    gateway::wire::{Address, Digest, ReceiptParts},
    receipt::SignedReceipt,
};
use solana_sha256_hasher::hash;

use crate::{
    callers::Caller,
    channels::PaidChannel,
    clock::now,
    day::Day,
    problem::PayerError,
    purchase::client_key,
    request_log::{LoggedPayment, NamedRequest},
    service::PayerService,
};

/// Payment of the JSON interface, which the caller's idempotency key may name. With a key it is made once,
/// also after an unknown outcome or the end of the process.
pub struct NamedPayment {
    named: Option<NamedRequest>,
    body: Digest,
}

/// What a payment is for.
pub struct Bill {
    pub caller: Caller,
    pub units: u32,
    pub request_digest: Digest,
    pub output_digest: Digest,
}

impl NamedPayment {
    /// Reads the key of a request, and waits for another request with that key.
    ///
    /// # Errors
    /// [`PayerError::InvalidHeader`].
    pub async fn begin(
        service: &PayerService,
        caller: &Caller,
        path: &str,
        (headers, body): (&mut HeaderMap, &[u8]),
    ) -> Result<Self, PayerError> {
        let named = match client_key(headers)? {
            Some(key) => Some(service.requests.begin(caller, path, &key).await),
            None => None,
        };
        Ok(Self { named, body: Digest(hash(body).to_bytes()) })
    }

    /// Returns the receipt if the payment was made before.
    ///
    /// # Errors
    /// [`PayerError::IdempotencyKeyReused`], [`PayerError::ReceiptNotFound`]; those of an earlier payment
    /// whose outcome is still unknown.
    pub async fn receipt(
        &self,
        service: &PayerService,
        open: Option<&PaidChannel>,
        bill: &Bill,
    ) -> Result<Option<ReceiptParts>, PayerError> {
        let Some(named) = &self.named else { return Ok(None) };
        let Some(earlier) = service.requests.payment(named) else { return Ok(None) };
        if earlier.body != self.body {
            return Err(PayerError::IdempotencyKeyReused);
        }
        if let Some(channel) = open.filter(|_| earlier.receipt.is_none()) {
            // Afterwards every payment of the channel has its receipt, or was not made.
            if let Err(error) = channel.payer.resume().await {
                return Err(service.failed(channel, error).await);
            }
        }
        if let Some(found) = find(service, bill, &earlier).await? {
            let receipt = Some(found.digest);
            service.requests.record(named, LoggedPayment { receipt, ..earlier })?;
            return Ok(Some(found));
        }
        let is_here = open.is_some_and(|open| earlier.channel.0 == open.payer.channel());
        // It was made, or may have been on a channel that is closed.
        if earlier.receipt.is_some() || !is_here {
            Err(PayerError::ReceiptNotFound)
        } else {
            Ok(None)
        }
    }

    /// Records that the payment is about to be signed.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn record(&self, service: &PayerService, channel: &PaidChannel) -> Result<(), PayerError> {
        let Some(named) = &self.named else { return Ok(()) };
        let address = channel.payer.channel();
        let kept = channel.payer.receipts().last().map(|kept| kept.number);
        let after = kept.max(service.archive.newest(&address)).unwrap_or(0);
        let (body, channel, begun_at) = (self.body, Address(address), now());
        let payment = LoggedPayment { body, channel, begun_at, after, receipt: None };
        service.requests.record(named, payment)
    }

    /// Forgets the payment, which was not made.
    pub fn withdraw(&self, service: &PayerService) {
        let Some(named) = &self.named else { return };
        if let Err(error) = service.requests.forget(named) {
            tracing::error!(%error, "a refused payment stays recorded");
        }
    }

    /// Records the receipt of the payment that was made.
    pub fn finish(&self, service: &PayerService, receipt: &SignedReceipt) {
        let Some(named) = &self.named else { return };
        let Some(payment) = service.requests.payment(named) else { return };
        let receipt = Some(Digest(receipt.receipt.digest()));
        if let Err(error) = service.requests.record(named, LoggedPayment { receipt, ..payment }) {
            // A repeated request finds the receipt in the archive.
            tracing::error!(%error, "a payment was not recorded");
        }
    }
}

/// Returns the receipt of a payment from the archive.
async fn find(
    service: &PayerService,
    bill: &Bill,
    payment: &LoggedPayment,
) -> Result<Option<ReceiptParts>, PayerError> {
    service.export().await?;
    let (archive, payment) = (service.archive.clone(), *payment);
    let days = (Day::of(payment.begun_at), Day::of(now()));
    let found = tokio::task::spawn_blocking(move || {
        archive
            .find(days, |one| one.receipt.channel == payment.channel && one.number > payment.after)
    });
    let found = found.await.map_err(|_| PayerError::Internal)??;
    let is_same = |parts: &ReceiptParts| {
        let is_same = parts.units == bill.units
            && parts.request_digest == bill.request_digest
            && parts.output_digest == bill.output_digest;
        is_same && !service.requests.is_claimed(&parts.digest)
    };
    let own = found.into_iter().filter(|one| one.caller.as_deref() == Some(&*bill.caller));
    let own: Vec<_> = own.map(|one| one.receipt).collect();
    let known = own.iter().find(|parts| Some(parts.digest) == payment.receipt);
    // A gateway that has lost the payment has issued another receipt.
    Ok(known.or_else(|| own.iter().find(|parts| is_same(parts))).copied())
}
