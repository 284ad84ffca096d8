use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use reqwest::Response;
use serde_json::json;
use solana_sha256_hasher::hash;

use super::{Payer, answer::receipt_in};
use crate::{
    gateway::{
        GatewayError, PaidRequest, PaywallClient,
        error::untrusted,
        part_id,
        paywall::{Answered, unreachable},
        wire::{
            Address, Captured, Digest, Due, PayForAnswer, Payment, Problem, ReceiptParts,
            StreamEvent,
        },
    },
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};

/// Stream from behind a paywall, paid part by part. Dropping it ends the payments.
pub struct PaidStream {
    payer: Payer,
    client: PaywallClient,
    request: PaidRequest,
    request_digest: [u8; 32],
    /// `None` after the connection is lost.
    response: Option<Response>,
    kind: String,
    buffered: VecDeque<u8>,
    /// Number of the next part.
    part: u32,
    /// Payment of a part that has not arrived.
    paid: Option<PartPayment>,
}

/// Payment of a part.
#[derive(Clone, Copy)]
struct PartPayment {
    voucher: SignedVoucher,
    receipt: SignedReceipt,
    /// Whether the paywall has the voucher.
    is_shown: bool,
}

/// Paid part of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidPart {
    /// Bytes, whose digest is in the receipt.
    pub body: Vec<u8>,
    /// Verified receipt.
    pub receipt: SignedReceipt,
}

/// Maximum size of an event without its body.
const MAX_ENVELOPE_BYTES: usize = 16 << 10;

impl Payer {
    /// Starts a stream from a model server behind a paywall. Parts are paid by
    /// [`PaidStream::next`].
    ///
    /// # Errors
    /// As [`Payer::fetch`].
    pub async fn stream(
        &self,
        client: &PaywallClient,
        request: &PaidRequest,
    ) -> Result<PaidStream, GatewayError> {
        self.resume().await?;
        self.check(request.license)?;
        let request_digest = request.digest()?;
        let ask = Payment::Ask(self.ask(request, &request_digest)?);
        let response = client.open(request, &ask).await?;
        if !response.status().is_success() {
            return Err(Answered::read(response, client.limit()).await?.refusal());
        }
        let kind = response.headers().get(PaidStream::KIND).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("application/octet-stream").to_owned();
        Ok(PaidStream {
            payer: self.clone(),
            kind,
            client: client.clone(),
            request: request.clone(),
            request_digest,
            response: Some(response),
            buffered: VecDeque::new(),
            part: 0,
            paid: None,
        })
    }
}

impl PaidStream {
    /// Name of the header with the content type of the joined parts.
    pub const KIND: &'static str = "motif-content-type";

    /// Returns the content type of the joined parts.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Pays for the next part; returns `None` after the last.
    ///
    /// A paid part that was lost with the connection is fetched again. After an error, parts that
    /// were not returned were not charged, except after [`GatewayError::Unreachable`]: then call
    /// this again.
    ///
    /// # Errors
    /// As [`Payer::fetch`].
    pub async fn next(&mut self) -> Result<Option<PaidPart>, GatewayError> {
        loop {
            if self.paid.is_some_and(|paid| !paid.is_shown) {
                self.show_voucher().await?;
            }
            let event = match self.event().await {
                Ok(event) => event,
                Err(error) => match self.paid {
                    Some(paid) => return self.fetch_again(paid).await.map(Some),
                    None => return Err(error),
                },
            };
            match event {
                StreamEvent::Due(due) => self.pay(&due).await?,
                StreamEvent::Output(output) => {
                    let body = BASE64.decode(&output.body);
                    let body = body.map_err(|_| untrusted("a part is not base64"))?;
                    let paid = self.paid.take();
                    let paid = paid.ok_or_else(|| untrusted("an unpaid part arrived"))?;
                    return self.handed_over(body, paid.receipt).map(Some);
                }
                StreamEvent::End(_) => return Ok(None),
                StreamEvent::Failed(failure) => {
                    return Err(GatewayError::Refused(Box::new(Problem {
                        slug: failure.slug,
                        title: "The stream has failed".to_owned(),
                        status: 502,
                        detail: failure.detail,
                        expected: None,
                        payment: None,
                        holder: None,
                        items: Vec::new(),
                    })));
                }
            }
        }
    }

    /// Pays for a due part.
    async fn pay(&mut self, due: &Due) -> Result<(), GatewayError> {
        if due.part != self.part || due.answer.0 != self.part_id() || self.paid.is_some() {
            return Err(untrusted("payment is due for another part"));
        }
        let captured = match self.part {
            0 => Captured::Hold(due.answer),
            _ => Captured::Part(due.answer),
        };
        let (request, digest) = (&self.request, &self.request_digest);
        let paying = self.payer.pay_due(request, digest, due, captured);
        let (receipt, voucher) = paying.await?;
        self.paid = Some(PartPayment { voucher, receipt, is_shown: false });
        Ok(())
    }

    /// Shows the voucher of a paid part to the paywall, which then sends the part.
    async fn show_voucher(&mut self) -> Result<(), GatewayError> {
        let Some(paid) = self.paid else { return Ok(()) };
        let answered = self.client.send(&self.request, &self.payment(paid.voucher)).await?;
        if !answered.status.is_success() {
            return Err(answered.refusal().after_payment());
        }
        if receipt_in(&answered)? != ReceiptParts::from(&paid.receipt) {
            return Err(untrusted("the receipt is for another part"));
        }
        self.paid = Some(PartPayment { is_shown: true, ..paid });
        Ok(())
    }

    /// Fetches a paid part again.
    async fn fetch_again(&mut self, paid: PartPayment) -> Result<PaidPart, GatewayError> {
        let answered = self.client.send(&self.request, &self.payment(paid.voucher)).await?;
        if !answered.status.is_success() {
            return Err(answered.refusal().after_payment());
        }
        self.paid = None;
        self.handed_over(answered.body, paid.receipt)
    }

    fn payment(&self, voucher: SignedVoucher) -> Payment {
        let (channel, answer) = (Address(self.payer.channel()), Digest(self.part_id()));
        Payment::Pay(PayForAnswer { channel, answer, voucher })
    }

    fn handed_over(
        &mut self,
        body: Vec<u8>,
        receipt: SignedReceipt,
    ) -> Result<PaidPart, GatewayError> {
        if hash(&body).to_bytes() != receipt.receipt.output_digest {
            return Err(untrusted("the part is not the paid one"));
        }
        self.part += 1;
        Ok(PaidPart { body, receipt })
    }

    fn part_id(&self) -> [u8; 32] {
        part_id(&self.payer.hold_id(&self.request.key), self.part)
    }

    /// Returns the next event; skips comments.
    async fn event(&mut self) -> Result<StreamEvent, GatewayError> {
        let max_bytes = self.client.limit().saturating_mul(2) + MAX_ENVELOPE_BYTES;
        loop {
            let bytes = self.buffered.make_contiguous();
            let end = bytes.windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let event: Vec<u8> = self.buffered.drain(..end + 2).collect();
                match read(&event)? {
                    Some(event) => return Ok(event),
                    None => continue,
                }
            }
            if self.buffered.len() > max_bytes {
                return Err(untrusted("an event exceeds this client's maximum size"));
            }
            let over = || untrusted("the stream ended early");
            let response = self.response.as_mut().ok_or_else(over)?;
            match response.chunk().await {
                Ok(Some(chunk)) => self.buffered.extend(chunk),
                Ok(None) => {
                    self.response = None;
                    return Err(over());
                }
                Err(error) => {
                    self.response = None;
                    return Err(unreachable(&self.request.url, error));
                }
            }
        }
    }
}

/// Parses an event; returns `None` for a comment.
fn read(event: &[u8]) -> Result<Option<StreamEvent>, GatewayError> {
    let text = std::str::from_utf8(event).map_err(|_| untrusted("an event is not UTF-8"))?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let (Some(name), Some(data)) = (field("event: "), field("data: ")) else { return Ok(None) };
    let data: serde_json::Value =
        serde_json::from_str(data).map_err(|error| untrusted(&error.to_string()))?;
    let event = serde_json::from_value(json!({ "event": name, "data": data }));
    event.map(Some).map_err(|error| untrusted(&error.to_string()))
}
