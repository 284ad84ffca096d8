use std::time::Duration;

use solana_sha256_hasher::hash;
use tokio::time::{Instant, sleep};

use super::Payer;
use crate::{
    gateway::{
        GatewayError, PaidRequest, PaidUnits, PayerAction, PaywallClient, ProblemType,
        error::untrusted,
        hold_details,
        paywall::Answered,
        wire::{
            Address, AskToPay, BatchedGeneration, Captured, Digest, Due, PayForAnswer, Payment,
            PaymentRequired, ReceiptParts,
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

/// Maximum time to wait for a running answer to the same request.
const RUNNING_TIMEOUT: Duration = Duration::from_secs(600);
const RUNNING_PAUSE: Duration = Duration::from_millis(500);

impl Payer {
    /// Sends a request to a model server behind a paywall and pays for the units used; returns the
    /// answer with its verified receipt: signed by the channel's operator, at the license's price,
    /// for exactly these bytes.
    ///
    /// The paywall stores the answer before it is paid for, so that nothing is paid for what can get
    /// lost. After [`GatewayError::Unreachable`], [`GatewayError::Untrusted`] or
    /// [`GatewayError::OutcomeUnknown`] fetch the same request again, which pays once. A refusal for
    /// [`ProblemType::TooManyUnpaid`] ends the request's hold: wait until other answers are paid for, and
    /// send the request with another key.
    ///
    /// # Errors
    /// As [`Payer::generate`]; [`GatewayError::ServerRefused`].
    pub async fn fetch(
        &self,
        client: &PaywallClient,
        request: &PaidRequest,
    ) -> Result<PaidAnswer, GatewayError> {
        self.resume().await?;
        let request_digest = request.digest()?;
        let answer = self.hold_id(&request.key);
        self.check(request.license)?;
        let ask = Payment::Ask(self.ask(request, &request_digest)?);
        let begun = Instant::now();
        loop {
            let answered = client.send(request, &ask).await?;
            if answered.status.is_success() {
                return self.paid_before(request, &request_digest, answered);
            }
            if let Some(PaymentRequired::Due(due)) = answered.required()? {
                if due.answer.0 != answer {
                    return Err(untrusted("payment is due for another answer"));
                }
                let captured = Captured::Hold(due.answer);
                let paying = self.pay_due(request, &request_digest, &due, captured);
                let (receipt, voucher) = paying.await?;
                let channel = Address(self.channel());
                let pay = Payment::Pay(PayForAnswer { channel, answer: due.answer, voucher });
                let answered = client.send(request, &pay).await?;
                if !answered.status.is_success() {
                    return Err(answered.refusal().after_payment());
                }
                let own = receipt_in(&answered)? == ReceiptParts::from(&receipt);
                if !own || hash(&answered.body).to_bytes() != due.output_digest.0 {
                    return Err(untrusted("the answer is not the paid one"));
                }
                return Ok(PaidAnswer::new(answered, receipt));
            }
            let refusal = answered.refusal();
            let is_running = refusal.problem_type() == Some(ProblemType::AnswerRunning);
            if !is_running || begun.elapsed() >= RUNNING_TIMEOUT {
                return Err(refusal);
            }
            sleep(RUNNING_PAUSE).await;
        }
    }

    /// Creates the signed request.
    pub(super) fn ask(
        &self,
        request: &PaidRequest,
        request_digest: &[u8; 32],
    ) -> Result<AskToPay, GatewayError> {
        let (license, units) = (request.license, request.most_units());
        let expires_at = request.expires_at;
        let details = hold_details(&request.key, license, units, request_digest, expires_at);
        let proof = self.proof(PayerAction::Hold(details))?;
        let channel = Address(self.channel());
        Ok(AskToPay { channel, license, units, expires_at, proof, voucher: None })
    }

    /// Pays for a ready answer or part, at most for the requested units and at the license's price.
    /// Returns the receipt and the voucher, for which the paywall returns the bytes.
    pub(super) async fn pay_due(
        &self,
        request: &PaidRequest,
        request_digest: &[u8; 32],
        due: &Due,
        captured: Captured,
    ) -> Result<(SignedReceipt, SignedVoucher), GatewayError> {
        let fits = match request.units {
            PaidUnits::Exactly(units) => due.units == units,
            PaidUnits::AtMost(units) => (1..=units).contains(&due.units),
        };
        if !fits || due.license != request.license || due.request_digest.0 != *request_digest {
            return Err(untrusted("payment is due for another request"));
        }
        let Digest(output_digest) = due.output_digest;
        let one = BatchedGeneration::new(due.license, due.units, *request_digest, output_digest);
        self.pay_one(one.capturing(captured)).await
    }

    /// Verifies the receipt of an answer that was paid for earlier.
    fn paid_before(
        &self,
        request: &PaidRequest,
        request_digest: &[u8; 32],
        answered: Answered,
    ) -> Result<PaidAnswer, GatewayError> {
        let parts = receipt_in(&answered)?;
        let output_digest = hash(&answered.body).to_bytes();
        let use_of = (request.license, request.most_units());
        let verified =
            self.machine().verify_earlier(&parts, use_of, request_digest, &output_digest);
        Ok(PaidAnswer::new(answered, verified?))
    }
}

impl PaidAnswer {
    fn new(answered: Answered, receipt: SignedReceipt) -> Self {
        let kind = answered.kind();
        Self { status: answered.status.as_u16(), kind, body: answered.body, receipt }
    }
}

/// Returns the receipt in the header of a paid answer.
pub(super) fn receipt_in(answered: &Answered) -> Result<ReceiptParts, GatewayError> {
    let receipt = answered.text(ReceiptParts::HEADER);
    let receipt = receipt.ok_or_else(|| untrusted("the answer has no receipt"))?;
    ReceiptParts::from_header(receipt).map_err(|error| untrusted(&error.to_string()))
}
