use motif_sdk::{
    gateway::wire::{Amount, Digest, Due, GenerationRequest, VoucherParts},
    receipt::SignedReceipt,
};

use super::{Paywall, PaywallRefusal, spool::Answer};
use crate::{
    channel::ChannelHandle,
    error::GatewayError,
    keys::Caller,
    ledger::{Item, LedgerError},
};

impl Paywall {
    /// Takes payment for a stored answer and returns its receipt once the voucher is durable.
    /// Idempotent.
    ///
    /// # Errors
    /// [`PaywallRefusal::Due`] if the voucher's total is not the expected one; otherwise the
    /// [`GatewayError`]s of a generation.
    pub(super) async fn take_payment(
        &self,
        answer: &Answer,
        voucher: VoucherParts,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        let id = answer.id.0;
        // Keeps the answer until its receipt is recorded.
        let _payment = self.spool().begin_payment(&id).ok_or(PaywallRefusal::UnknownAnswer)?;
        // After the deadline only a paid answer is returned; its payer is verified below.
        let is_expired = answer.expires_at < self.app().cluster.now();
        if is_expired && self.receipt(answer).await?.is_none() {
            return Err(GatewayError::rejected(LedgerError::UnknownHold));
        }
        let request = GenerationRequest {
            voucher,
            license: answer.license,
            units: answer.units,
            request_digest: answer.request_digest,
            output_digest: answer.output_digest,
        };
        let taken = match answer.part {
            0 => self.app().holds.capture(id, request, caller).await,
            _ => self.app().metering.pay_part(answer.channel.0, id, request, caller).await,
        };
        let receipt = match taken {
            Ok(receipt) => receipt,
            Err(error) if error.is_moved() => {
                self.receipt_before_move(answer, &voucher, error).await?
            }
            Err(error) => self.earlier_receipt(answer, error).await?,
        };
        self.spool().mark_paid(&id, receipt);
        self.in_flight().complete(&id, receipt);
        Ok(receipt)
    }

    /// Returns the receipt of an answer that an earlier voucher paid for. The rejected voucher
    /// carries the payer's verified signature.
    async fn earlier_receipt(
        &self,
        answer: &Answer,
        error: GatewayError,
    ) -> Result<SignedReceipt, GatewayError> {
        let (refusal, _) = match &error {
            GatewayError::Rejected { error: refusal, expected } => (Some(*refusal), expected),
            GatewayError::IdempotencyKeyReused => (None, &None),
            _ => return Err(error),
        };
        if let Some(receipt) = self.receipt(answer).await? {
            return Ok(receipt);
        }
        match refusal {
            Some(
                refusal @ (LedgerError::WrongPrice { .. }
                | LedgerError::NotNewer { .. }
                | LedgerError::StatementMismatch
                | LedgerError::StatementClosed
                | LedgerError::StatementAhead { .. }),
            ) => {
                let because = GatewayError::rejected(refusal).problem().slug;
                Err(self.payment_due(answer, Some(because)).await?)
            }
            _ => Err(error),
        }
    }

    /// Returns the receipt of an answer, or `None` if it is unpaid.
    pub(super) async fn receipt(
        &self,
        answer: &Answer,
    ) -> Result<Option<SignedReceipt>, GatewayError> {
        let id = answer.id.0;
        if let Some(receipt) = self.spool().receipt(&id) {
            return Ok(Some(receipt));
        }
        let receipt = self.app().metering.receipt_of(answer.channel.0, id, answer.part).await?;
        if let Some(receipt) = receipt {
            self.spool().mark_paid(&id, receipt);
        }
        Ok(receipt)
    }

    /// Returns the refusal that names the payment due for an answer.
    ///
    /// # Errors
    /// The error that would reject a voucher for it.
    pub(super) async fn payment_due(
        &self,
        answer: &Answer,
        because: Option<String>,
    ) -> Result<GatewayError, GatewayError> {
        let channel = self.app().channels.get(&answer.channel.0).await?;
        let due = payment_due(&channel, answer, because, self.app().cluster.now())?;
        Ok(PaywallRefusal::Due(Box::new(due)).into())
    }
}

/// Returns the payment due for an answer at `now`.
pub fn payment_due(
    channel: &ChannelHandle,
    answer: &Answer,
    because: Option<String>,
    now: i64,
) -> Result<Due, GatewayError> {
    let locked = channel.lock();
    let item = Item { license: answer.license, units: answer.units };
    let (price, cumulative) = locked.ledger.cost(&item, now).map_err(GatewayError::rejected)?;
    Ok(Due {
        answer: Digest(answer.id.0),
        part: answer.part,
        license: answer.license,
        units: answer.units,
        price: Amount(price),
        request_digest: answer.request_digest,
        output_digest: answer.output_digest,
        expires_at: answer.expires_at,
        expected: locked.expected(cumulative),
        because,
    })
}
