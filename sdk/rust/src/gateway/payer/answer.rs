use std::time::Duration;

use motif_payer::{
    Purchase, now,
    purchase::{check_output, check_receipt, receipt_in},
};
use solana_sha256_hasher::hash;
use tokio::time::{Instant, sleep};

use super::Payer;
use crate::{
    gateway::{
        GatewayError, PaidRequest, PayerAction, PaywallClient, ProblemType,
        paywall::Answered,
        wire::{Address, Due, PayForAnswer, Payment, PaymentRequired, ReceiptParts},
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
        self.fetch_then(client, request, || {}).await
    }

    /// As [`Payer::fetch`]; calls `paid` once the answer is paid for, before the paywall returns it.
    ///
    /// # Errors
    /// As [`Payer::fetch`].
    pub async fn fetch_then(
        &self,
        client: &PaywallClient,
        request: &PaidRequest,
        paid: impl FnOnce() + Send,
    ) -> Result<PaidAnswer, GatewayError> {
        self.resume().await?;
        let purchase = request.purchase()?;
        self.check(request.license)?;
        let ask = self.ask(&purchase)?;
        let begun = Instant::now();
        loop {
            let answered = client.send(request, &ask).await?;
            if answered.status.is_success() {
                return self.paid_before(&purchase, answered);
            }
            if let Some(PaymentRequired::Due(due)) = answered.required()? {
                let (receipt, voucher) = self.pay_due(&purchase, 0, &due).await?;
                paid();
                let channel = Address(self.channel());
                let pay = Payment::Pay(PayForAnswer { channel, answer: due.answer, voucher });
                let answered = client.send(request, &pay).await?;
                if !answered.status.is_success() {
                    return Err(answered.refusal().after_payment());
                }
                check_receipt(&receipt, answered.text(ReceiptParts::HEADER))?;
                check_output(&receipt, &answered.body)?;
                return Ok(PaidAnswer::new(answered, receipt));
            }
            let refusal = answered.refusal();
            let is_running = refusal.problem_type() == Some(ProblemType::AnswerRunning);
            let is_late = begun.elapsed() >= RUNNING_TIMEOUT || now() > request.expires_at;
            if !is_running || is_late {
                return Err(refusal);
            }
            sleep(RUNNING_PAUSE).await;
        }
    }

    /// Creates the signed request.
    pub(super) fn ask(&self, purchase: &Purchase) -> Result<Payment, GatewayError> {
        let proof = self.proof(PayerAction::Hold(purchase.details()))?;
        Ok(Payment::Ask(purchase.ask(&self.channel(), proof)))
    }

    /// Pays for a ready answer or part, at most for the requested units and at the license's price.
    /// Returns the receipt and the voucher, for which the paywall returns the bytes.
    pub(super) async fn pay_due(
        &self,
        purchase: &Purchase,
        part: u32,
        due: &Due,
    ) -> Result<(SignedReceipt, SignedVoucher), GatewayError> {
        let one = purchase.pay_due(&self.name(purchase, part), part, due)?;
        self.pay_one(one).await
    }

    /// Verifies the receipt of an answer that was paid for earlier.
    pub(super) fn paid_before(
        &self,
        purchase: &Purchase,
        answered: Answered,
    ) -> Result<PaidAnswer, GatewayError> {
        let parts = receipt_in(answered.text(ReceiptParts::HEADER))?;
        let output_digest = hash(&answered.body).to_bytes();
        let use_of = (purchase.license, purchase.units.max());
        let digest = &purchase.request_digest;
        let verified = self.machine().verify_earlier(&parts, use_of, digest, &output_digest);
        Ok(PaidAnswer::new(answered, verified?))
    }
}

impl PaidAnswer {
    fn new(answered: Answered, receipt: SignedReceipt) -> Self {
        let kind = answered.kind();
        Self { status: answered.status.as_u16(), kind, body: answered.body, receipt }
    }
}
