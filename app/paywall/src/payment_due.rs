use motif_sdk::{
    gateway::{
        ProblemType,
        wire::{Due, GenerationRequest},
    },
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};

use crate::{engine::Caller, error::PaywallError, paywall::Paywall, spool::Answer};

/// Sender of a voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The payer, who signed the request recently.
    Payer,
    /// A client that has the voucher, such as a client that intercepted it.
    Bearer,
}

impl Sender {
    /// Returns whether the sender of a voucher may have an answer with this receipt: the payer, or
    /// the bearer of the voucher that paid. The voucher's signature must be verified.
    pub(crate) fn may_have(self, receipt: &SignedReceipt, voucher: &SignedVoucher) -> bool {
        let (receipt, voucher) = (&receipt.receipt, &voucher.voucher);
        let has_paid = (voucher.channel, voucher.opened_slot, voucher.statement)
            == (receipt.channel, receipt.opened_slot, receipt.statement)
            && voucher.cumulative == receipt.cumulative;
        self == Self::Payer || has_paid
    }
}

impl Paywall {
    /// Takes payment for a stored answer and returns its receipt once the voucher is durable.
    /// Idempotent.
    ///
    /// # Errors
    /// [`PaywallError::Due`] if the voucher's total is not the expected one;
    /// [`PaywallError::HoldEnded`]; those of [`Caller::pay`], also for an answer that was paid for by
    /// another voucher than the [`Sender::Bearer`]'s.
    pub(crate) async fn take_payment(
        &self,
        answer: &Answer,
        voucher: SignedVoucher,
        sender: Sender,
        caller: &dyn Caller,
    ) -> Result<SignedReceipt, PaywallError> {
        let id = answer.id.0;
        // Keeps the answer until its receipt is recorded.
        let _payment = self.spool().begin_payment(&id).ok_or(PaywallError::UnknownAnswer)?;
        // After the deadline only a paid answer is returned; its payer is verified below.
        let is_expired = answer.expires_at < self.engine().now();
        if is_expired && self.receipt(answer).await?.is_none() {
            return Err(PaywallError::HoldEnded);
        }
        let request = GenerationRequest {
            voucher,
            license: answer.license,
            units: answer.units,
            request_digest: answer.request_digest,
            output_digest: answer.output_digest,
        };
        let receipt = match caller.pay(answer.key(), request).await.map_err(PaywallError::from) {
            Ok(receipt) => receipt,
            Err(error) if error.is_moved() => {
                self.receipt_before_move(answer, (sender, &voucher), error).await?
            }
            Err(error) => self.earlier_receipt(answer, (sender, &voucher), error).await?,
        };
        self.spool().mark_paid(&id, receipt);
        self.in_flight().complete(&id, receipt);
        Ok(receipt)
    }

    /// Returns the receipt of an answer that was paid for earlier, if the sender of the rejected
    /// voucher, which carries the payer's verified signature, may have it.
    async fn earlier_receipt(
        &self,
        answer: &Answer,
        (sender, voucher): (Sender, &SignedVoucher),
        error: PaywallError,
    ) -> Result<SignedReceipt, PaywallError> {
        let is_rejected =
            matches!(&error, PaywallError::Engine(error) if error.is_rejected_voucher());
        if !is_rejected {
            return Err(error);
        }
        if let Some(receipt) = self.receipt(answer).await? {
            return if sender.may_have(&receipt, voucher) { Ok(receipt) } else { Err(error) };
        }
        match error.problem_type() {
            because @ (ProblemType::WrongPrice
            | ProblemType::VoucherNotNewer
            | ProblemType::StatementMismatch
            | ProblemType::StatementClosed
            | ProblemType::StatementAhead) => {
                Err(self.payment_due(answer, Some(because.slug().to_owned())).await?)
            }
            _ => Err(error),
        }
    }

    /// Returns the receipt of an answer, or `None` if it is unpaid.
    ///
    /// # Errors
    /// [`PaywallError::HoldCaptured`] if the answer's hold was captured for something else;
    /// those of the engine.
    pub(crate) async fn receipt(
        &self,
        answer: &Answer,
    ) -> Result<Option<SignedReceipt>, PaywallError> {
        let id = answer.id.0;
        if let Some(receipt) = self.spool().receipt(&id) {
            return Ok(Some(receipt));
        }
        // A payer can capture the hold at the gateway, and for less than the answer.
        let receipt = self.engine().receipt(answer.key()).await?;
        if let Some(signed) = receipt {
            if !answer.is_paid_by(&signed.receipt) {
                return Err(PaywallError::HoldCaptured);
            }
            self.spool().mark_paid(&id, signed);
        }
        Ok(receipt)
    }

    /// Returns the error that names the payment due for an answer.
    ///
    /// # Errors
    /// The error that would reject a voucher for it.
    pub(crate) async fn payment_due(
        &self,
        answer: &Answer,
        because: Option<String>,
    ) -> Result<PaywallError, PaywallError> {
        Ok(PaywallError::Due(Box::new(self.due(answer, because).await?)))
    }

    /// Returns the payment due for an answer now.
    ///
    /// # Errors
    /// Those of [`crate::PaymentEngine::amount_due`].
    pub(crate) async fn due(
        &self,
        answer: &Answer,
        because: Option<String>,
    ) -> Result<Due, PaywallError> {
        let (license, units) = (answer.license, answer.units);
        let due = self.engine().amount_due(answer.channel.0, license, units).await?;
        Ok(Due {
            answer: answer.id,
            part: answer.part,
            license,
            units,
            price: due.price,
            request_digest: answer.request_digest,
            output_digest: answer.output_digest,
            expires_at: answer.expires_at,
            expected: due.expected,
            because,
        })
    }
}
