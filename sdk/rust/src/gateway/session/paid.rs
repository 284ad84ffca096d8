use std::time::Duration;

use reqwest::Method;
use solana_sha256_hasher::hash;
use tokio::time::{Instant, sleep};

use super::{PayerSession, Way, now};
use crate::{
    gateway::{
        GatewayError, IdempotencyKey, PayerAction, PaywallClient, ProblemType, hold_details, hold_id,
        paid_request_digest,
        paywall::{Answered, untrusted},
        wire::{
            Address, Amount, AskToPay, BatchedGeneration, Digest, Due, ExpectedStatement,
            PayForAnswer, Payment, PaymentRequired, PriceTag, ReceiptParts, VoucherParts,
        },
    },
    receipt::SignedReceipt,
};

/// A request to a model server behind a paywall. Sent again, it is the same one: it is answered
/// with the same bytes, and paid for once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidRequest {
    /// The HTTP method.
    pub method: Method,
    /// Where it goes.
    pub url: String,
    /// Its headers, without those of payment.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// Index of the license that pays.
    pub license: u16,
    /// How many units it uses.
    pub units: PaidUnits,
    /// Names it.
    pub key: IdempotencyKey,
    /// Last unix second in which its answer can be paid for.
    pub expires_at: i64,
    /// Whether it may have been sent, and paid for, by an earlier session.
    pub is_resumed: bool,
}

/// How many units an answer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidUnits {
    /// So many: they are paid for with the request.
    Exactly(u32),
    /// At most so many: they are paid for once they are known.
    AtMost(u32),
}

/// An answer that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// The content type of its body.
    pub kind: String,
    /// Its body; the receipt names its digest.
    pub body: Vec<u8>,
    /// Its receipt, verified.
    pub receipt: SignedReceipt,
}

impl PaidRequest {
    /// Room is kept for longer than asked for: clocks differ.
    const EXTRA_SECONDS: i64 = 60;

    /// A request with a body, paid for with a license as its price tag asks for it.
    pub fn new(
        method: Method,
        url: &str,
        body: Vec<u8>,
        license: u16,
        price_tag: &PriceTag,
    ) -> Self {
        let units = match price_tag.fixed_units {
            Some(units) => PaidUnits::Exactly(units),
            None => PaidUnits::AtMost(price_tag.most_units),
        };
        Self {
            method,
            url: url.to_owned(),
            headers: Vec::new(),
            body,
            license,
            units,
            key: IdempotencyKey::random(),
            expires_at: now() + i64::from(price_tag.hold_seconds) + Self::EXTRA_SECONDS,
            is_resumed: false,
        }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What its payment is bound to.
    ///
    /// # Errors
    /// [`GatewayError::Untrusted`] when its URL is none.
    pub fn digest(&self) -> Result<[u8; 32], GatewayError> {
        let url: reqwest::Url = self.url.parse().map_err(|_| untrusted("its URL is none"))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{}{query}", url.path());
        Ok(paid_request_digest(self.method.as_str(), &target, &self.body))
    }

    pub(super) fn most_units(&self) -> u32 {
        match self.units {
            PaidUnits::Exactly(units) | PaidUnits::AtMost(units) => units,
        }
    }
}

/// A gateway may have begun another statement, or heard of another generation, once or twice.
pub(super) const TRIES: usize = 4;
/// How long the same request may still be being answered.
const RUNNING_WITHIN: Duration = Duration::from_secs(600);
const RUNNING_PAUSE: Duration = Duration::from_millis(500);

impl PayerSession {
    /// Has a model server behind a paywall answer, pays for what the answer has used, and returns
    /// it with its receipt: signed by the channel's operator, at the license's price, for exactly
    /// these bytes.
    ///
    /// After [`GatewayError::Unreachable`] or [`GatewayError::Untrusted`] it is not known whether
    /// it was paid for: fetch the same request again, it is paid for once.
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
        let patient_until = Instant::now() + RUNNING_WITHIN;
        let mut tries = 0;
        while tries < TRIES {
            let answered = client.send(request, &payment).await?;
            if answered.status.is_success() {
                return self.paid(request, request_digest, due.as_deref(), answered);
            }
            if let Some(PaymentRequired::Due(asked)) = answered.required()? {
                // What was sent did not pay: it is as good as void, the next one replaces it.
                self.unanswered = None;
                payment = self.payment_of(request, request_digest, &asked)?;
                due = Some(asked);
                tries += 1;
                continue;
            }
            let refusal = answered.refusal();
            if refusal.problem_type() == Some(ProblemType::AnswerRunning) && Instant::now() < patient_until {
                sleep(RUNNING_PAUSE).await;
                continue;
            }
            if refusal.is_definite() {
                self.unanswered = None;
            }
            return Err(refusal);
        }
        Err(untrusted("it takes no voucher for what it asks"))
    }

    /// Asks for the answer; with a voucher where its price is known.
    fn first_payment(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
    ) -> Result<Payment, GatewayError> {
        let voucher = match (&self.unanswered, request.units) {
            (Some(earlier), _) if earlier.key == request.key => Some(earlier.voucher),
            (Some(_), _) => return Err(GatewayError::Unanswered),
            (None, PaidUnits::Exactly(units)) if !request.is_resumed => {
                // Which output it will be, the receipt says.
                Some(self.voucher_for(request, units, request_digest, [0; 32])?)
            }
            (None, _) => None,
        };
        Ok(Payment::Ask(self.asking(request, request_digest, voucher)))
    }

    /// The proof that the payer asks for this, with a voucher or without.
    pub(super) fn asking(
        &self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        voucher: Option<VoucherParts>,
    ) -> AskToPay {
        let (license, units) = (request.license, request.most_units());
        let expires_at = request.expires_at;
        let details = hold_details(&request.key, license, units, &request_digest, expires_at);
        let proof = self.proof(PayerAction::Hold(details));
        AskToPay { channel: Address(self.address), license, units, expires_at, proof, voucher }
    }

    /// Signs for these units, and keeps that until it is answered.
    pub(super) fn voucher_for(
        &mut self,
        request: &PaidRequest,
        units: u32,
        request_digest: [u8; 32],
        output_digest: [u8; 32],
    ) -> Result<VoucherParts, GatewayError> {
        let generation = BatchedGeneration {
            license: request.license,
            units,
            request_digest: Digest(request_digest),
            output_digest: Digest(output_digest),
        };
        self.sign(Way::Paywall, request.key.clone(), vec![generation])?;
        let signed = self.unanswered.as_ref().ok_or(GatewayError::Unanswered)?;
        Ok(signed.voucher)
    }

    /// Pays for an answer that is ready, if it is the one that was asked for.
    fn payment_of(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        due: &Due,
    ) -> Result<Payment, GatewayError> {
        let id = hold_id(&self.address, self.channel.opened_slot, &request.key);
        if due.answer.0 != id {
            return Err(untrusted("it wants to be paid for another answer"));
        }
        self.pay_due(request, request_digest, due)
    }

    /// A voucher for what is due: never for more than was asked for, and at this session's price.
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
            return Err(untrusted("it wants to be paid for what was not asked for"));
        }
        let is_closed = due.because.as_deref() == Some(ProblemType::StatementClosed.slug());
        if is_closed || due.expected.statement == self.number + 1 {
            // A due names the total with it; the totals of two sides meet without it.
            let cumulative = Amount(self.cumulative()?);
            self.follow_cut(&ExpectedStatement { cumulative, ..due.expected.clone() })?;
        }
        let output_digest = due.output_digest.0;
        let voucher = self.voucher_for(request, due.units, request_digest, output_digest)?;
        let channel = Address(self.address);
        Ok(Payment::Pay(PayForAnswer { channel, answer: due.answer, voucher }))
    }

    /// An answer is good with a receipt for exactly its bytes, or not at all.
    fn paid(
        &mut self,
        request: &PaidRequest,
        request_digest: [u8; 32],
        due: Option<&Due>,
        answered: Answered,
    ) -> Result<PaidAnswer, GatewayError> {
        let receipt = answered.text(ReceiptParts::HEADER);
        let receipt = receipt.ok_or_else(|| untrusted("it answered without a receipt"))?;
        let parts = ReceiptParts::from_header(receipt);
        let parts = parts.map_err(|error| untrusted(&error.to_string()))?;
        let output_digest = hash(&answered.body).to_bytes();
        if due.is_some_and(|due| due.output_digest.0 != output_digest) {
            return Err(untrusted("it handed over another answer than it was paid for"));
        }
        let receipt = self.receipt_of(request, request_digest, output_digest, &parts)?;
        let kind = answered.kind();
        Ok(PaidAnswer { status: answered.status.as_u16(), kind, body: answered.body, receipt })
    }

    /// The receipt for what was signed for, or for what an earlier session has paid.
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

    /// A receipt for this very request that this session's totals contain already.
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
            && signed.verifies(&self.channel.operator);
        if is_ours { Ok(signed) } else { Err(untrusted("the receipt is not for what was asked")) }
    }
}
