use std::time::Duration;

use solana_sha256_hasher::hash;
use tokio::time::{Instant, sleep};

use super::{PayerSession, Way};
use crate::{
    gateway::{
        GatewayError, PaidRequest, PaidUnits, PayerAction, PaywallClient, ProblemType,
        error::untrusted,
        hold_details, hold_id,
        paywall::Answered,
        wire::{
            Address, Amount, AskToPay, BatchedGeneration, Digest, Due, ExpectedStatement,
            PayForAnswer, Payment, PaymentRequired, ReceiptParts,
        },
    },
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};

/// Paid answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content type of the body.
    pub kind: String,
    /// Body, whose digest is in the receipt.
    pub body: Vec<u8>,
    /// Verified receipt.
    pub receipt: SignedReceipt,
}

/// Maximum number of vouchers for one answer: statement or total can change in between.
pub(super) const TRIES: usize = 4;
/// Maximum time to wait for a running answer to the same request.
const RUNNING_TIMEOUT: Duration = Duration::from_secs(600);
const RUNNING_PAUSE: Duration = Duration::from_millis(500);

impl PayerSession {
    /// Sends a request to a model server behind a paywall and pays for the units used; returns the
    /// answer with its verified receipt: signed by the channel's operator, at the license's price,
    /// for exactly these bytes.
    ///
    /// After [`GatewayError::Unreachable`] or [`GatewayError::Untrusted`] the outcome is unknown:
    /// fetch the same request again, which pays once.
    ///
    /// # Errors
    /// As [`PayerSession::generate`]; [`GatewayError::ServerRefused`].
    pub async fn fetch(
        &mut self,
        client: &PaywallClient,
        request: &PaidRequest,
    ) -> Result<PaidAnswer, GatewayError> {
        let request_digest = request.digest()?;
        let mut payment = self.first_payment(request, request_digest)?;
        let mut due: Option<Box<Due>> = None;
        let patient_until = Instant::now() + RUNNING_TIMEOUT;
        let mut tries = 0;
        while tries < TRIES {
            let answered = client.send(request, &payment).await?;
            if answered.status.is_success() {
                return self.paid(request, request_digest, due.as_deref(), answered);
            }
            if let Some(PaymentRequired::Due(asked)) = answered.required()? {
                // The next voucher replaces the one that was sent.
                self.unanswered = None;
                payment = self.payment_of(request, request_digest, &asked)?;
                due = Some(asked);
                tries += 1;
                continue;
            }
            let refusal = answered.refusal();
            if refusal.problem_type() == Some(ProblemType::AnswerRunning)
                && Instant::now() < patient_until
            {
                sleep(RUNNING_PAUSE).await;
                continue;
            }
            if refusal.is_definite() {
                self.unanswered = None;
            }
            return Err(refusal);
        }
        Err(untrusted("the paywall rejected every voucher"))
    }

    /// Creates the first payment, with a voucher if the price is known.
    fn first_payment(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
    ) -> Result<Payment, GatewayError> {
        let voucher = match (&self.unanswered, request.units) {
            (Some(earlier), _) if earlier.key == request.key => Some(earlier.voucher),
            (Some(_), _) => return Err(GatewayError::Unanswered),
            (None, PaidUnits::Exactly(units)) if !request.is_resumed => {
                // The receipt will contain the digest of the output.
                Some(self.voucher_for(request, units, request_digest, [0; 32])?)
            }
            (None, _) => None,
        };
        Ok(Payment::Ask(self.ask(request, request_digest, voucher)?))
    }

    /// Creates the signed request, with an optional voucher.
    pub(super) fn ask(
        &self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        voucher: Option<SignedVoucher>,
    ) -> Result<AskToPay, GatewayError> {
        let (license, units) = (request.license, request.most_units());
        let expires_at = request.expires_at;
        let details = hold_details(&request.key, license, units, &request_digest, expires_at);
        let proof = self.proof(PayerAction::Hold(details))?;
        let channel = Address(self.address);
        Ok(AskToPay { channel, license, units, expires_at, proof, voucher })
    }

    /// Signs a voucher for the units and stores it until it is answered.
    pub(super) fn voucher_for(
        &mut self,
        request: &PaidRequest,
        units: u32,
        request_digest: [u8; 32],
        output_digest: [u8; 32],
    ) -> Result<SignedVoucher, GatewayError> {
        let generation = BatchedGeneration {
            license: request.license,
            units,
            request_digest: Digest(request_digest),
            output_digest: Digest(output_digest),
            captures: None,
        };
        self.sign(Way::Paywall, request.key.clone(), vec![generation])?;
        let signed = self.unanswered.as_ref().ok_or(GatewayError::Unanswered)?;
        Ok(signed.voucher)
    }

    /// Pays for a ready answer if it is for this request.
    fn payment_of(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        due: &Due,
    ) -> Result<Payment, GatewayError> {
        let id = hold_id(&self.address, self.channel.opened_slot, &request.key);
        if due.answer.0 != id {
            return Err(untrusted("payment is due for another answer"));
        }
        self.pay_due(request, request_digest, due)
    }

    /// Creates the payment for a due answer, at most for the requested units and at this session's
    /// price.
    pub(super) fn pay_due(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        due: &Due,
    ) -> Result<Payment, GatewayError> {
        let fits = match request.units {
            PaidUnits::Exactly(units) => due.units == units,
            PaidUnits::AtMost(units) => (1..=units).contains(&due.units),
        };
        if !fits || due.license != request.license || due.request_digest.0 != request_digest {
            return Err(untrusted("payment is due for another request"));
        }
        let is_closed = due.because.as_deref() == Some(ProblemType::StatementClosed.slug());
        if is_closed || due.expected.statement == self.number + 1 {
            // A due contains the total with it; the comparison needs the total without it.
            let cumulative = Amount(self.cumulative()?);
            self.follow_cut(&ExpectedStatement { cumulative, ..due.expected.clone() })?;
        }
        let output_digest = due.output_digest.0;
        let voucher = self.voucher_for(request, due.units, request_digest, output_digest)?;
        let channel = Address(self.address);
        Ok(Payment::Pay(PayForAnswer { channel, answer: due.answer, voucher }))
    }

    /// Verifies that the receipt is for exactly the answer's bytes.
    fn paid(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        due: Option<&Due>,
        answered: Answered,
    ) -> Result<PaidAnswer, GatewayError> {
        let receipt = answered.text(ReceiptParts::HEADER);
        let receipt = receipt.ok_or_else(|| untrusted("the answer has no receipt"))?;
        let parts = ReceiptParts::from_header(receipt);
        let parts = parts.map_err(|error| untrusted(&error.to_string()))?;
        let output_digest = hash(&answered.body).to_bytes();
        if due.is_some_and(|due| due.output_digest.0 != output_digest) {
            return Err(untrusted("the answer is not the paid one"));
        }
        let receipt = self.receipt_of(request, request_digest, output_digest, &parts)?;
        let kind = answered.kind();
        Ok(PaidAnswer { status: answered.status.as_u16(), kind, body: answered.body, receipt })
    }

    /// Verifies the receipt for the signed voucher, or for one of an earlier session.
    pub(super) fn receipt_of(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        output_digest: [u8; 32],
        parts: &ReceiptParts,
    ) -> Result<SignedReceipt, GatewayError> {
        let Some(signed) = self.unanswered.as_ref().filter(|one| one.key == request.key) else {
            return self.earlier_receipt(request, request_digest, output_digest, parts);
        };
        let generation = signed.generations.first().ok_or(GatewayError::Unanswered)?;
        let generation = BatchedGeneration { output_digest: Digest(output_digest), ..*generation };
        let price = signed.next.prices.first().copied().ok_or(GatewayError::Unanswered)?;
        let next = signed.next.clone();
        let receipt = self.check_one(&generation, price, next.cumulative, parts)?;
        self.count(next)?;
        Ok(receipt)
    }

    /// Verifies a receipt that this session's totals already contain.
    fn earlier_receipt(
        &self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        output_digest: [u8; 32],
        parts: &ReceiptParts,
    ) -> Result<SignedReceipt, GatewayError> {
        let signed = SignedReceipt::from(parts);
        let receipt = &signed.receipt;
        let is_ours = self.is_for(receipt, request.license, &request_digest, &output_digest)?
            && (1..=request.most_units()).contains(&receipt.units)
            && receipt.cumulative <= self.cumulative()?
            && signed.verifies_with(&self.receipt_keys);
        if is_ours { Ok(signed) } else { Err(untrusted("the receipt is for another request")) }
    }
}
