use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use reqwest::Response;
use serde_json::json;
use solana_sha256_hasher::hash;

use super::{PayerSession, paid::TRIES};
use crate::{
    gateway::{
        GatewayError, PaidRequest, PaywallClient,
        error::untrusted,
        hold_id, part_id,
        paywall::{Answered, unreachable},
        wire::{
            Address, Due, PayForAnswer, Payment, PaymentRequired, Problem, ReceiptParts,
            StreamEvent,
        },
    },
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};

/// Stream from behind a paywall, paid part by part. Dropping it ends the payments.
pub struct PaidStream {
    client: PaywallClient,
    request: PaidRequest,
    request_digest: [u8; 32],
    /// `None` after the connection is lost.
    response: Option<Response>,
    kind: String,
    buffered: VecDeque<u8>,
    /// Number of the next part.
    part: u32,
    /// Voucher and receipt of a paid part that has not arrived.
    paid: Option<(SignedVoucher, SignedReceipt)>,
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

impl PayerSession {
    /// Starts a stream from a model server behind a paywall. Parts are paid by
    /// [`PaidStream::next`].
    ///
    /// # Errors
    /// As [`PayerSession::fetch`].
    pub async fn stream(
        &mut self,
        client: &PaywallClient,
        request: &PaidRequest,
    ) -> Result<PaidStream, GatewayError> {
        if self.unanswered.is_some() {
            return Err(GatewayError::Unanswered);
        }
        let request_digest = request.digest()?;
        let ask = Payment::Ask(self.ask(request, request_digest, None)?);
        let response = client.open(request, &ask).await?;
        if !response.status().is_success() {
            return Err(Answered::read(response, client.limit()).await?.refusal());
        }
        let kind = response.headers().get(PaidStream::KIND).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("application/octet-stream").to_owned();
        Ok(PaidStream {
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
    /// As [`PayerSession::fetch`].
    pub async fn next(
        &mut self,
        session: &mut PayerSession,
    ) -> Result<Option<PaidPart>, GatewayError> {
        loop {
            let event = match self.event().await {
                Ok(event) => event,
                Err(error) => match self.paid {
                    Some((voucher, receipt)) => {
                        return self.fetch_again(session, voucher, receipt).await.map(Some);
                    }
                    None => return Err(error),
                },
            };
            match event {
                StreamEvent::Due(due) => self.pay(session, *due).await?,
                StreamEvent::Output(output) => {
                    let body = BASE64.decode(&output.body);
                    let body = body.map_err(|_| untrusted("a part is not base64"))?;
                    let (_, receipt) =
                        self.paid.take().ok_or_else(|| untrusted("an unpaid part arrived"))?;
                    return self.handed_over(body, receipt).map(Some);
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
    async fn pay(&mut self, session: &mut PayerSession, due: Due) -> Result<(), GatewayError> {
        let mut due = due;
        for _ in 0..TRIES {
            if due.part != self.part || due.answer.0 != self.part_id(session) {
                return Err(untrusted("payment is due for another part"));
            }
            let (request, digest) = (&self.request, self.request_digest);
            let payment = session.pay_due(request, digest, &due)?;
            let Payment::Pay(PayForAnswer { voucher, .. }) = &payment else {
                return Err(GatewayError::Unanswered);
            };
            let answered = self.client.send(&self.request, &payment).await?;
            if answered.status.is_success() {
                let parts = receipt_in(&answered)?;
                let output = due.output_digest.0;
                let receipt = session.receipt_of(&self.request, digest, output, &parts)?;
                self.paid = Some((*voucher, receipt));
                return Ok(());
            }
            if let Some(PaymentRequired::Due(again)) = answered.required()? {
                session.unanswered = None;
                due = *again;
                continue;
            }
            let refusal = answered.refusal();
            if refusal.is_definite() {
                session.unanswered = None;
            }
            return Err(refusal);
        }
        Err(untrusted("the paywall rejected every voucher"))
    }

    /// Fetches a paid part again.
    async fn fetch_again(
        &mut self,
        session: &PayerSession,
        voucher: SignedVoucher,
        receipt: SignedReceipt,
    ) -> Result<PaidPart, GatewayError> {
        let answer = crate::gateway::wire::Digest(self.part_id(session));
        let channel = Address(session.address);
        let payment = Payment::Pay(PayForAnswer { channel, answer, voucher });
        let answered = self.client.send(&self.request, &payment).await?;
        if !answered.status.is_success() {
            return Err(answered.refusal());
        }
        self.paid = None;
        self.handed_over(answered.body, receipt)
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

    fn part_id(&self, session: &PayerSession) -> [u8; 32] {
        let slot = session.channel.opened_slot;
        part_id(&hold_id(&session.address, slot, &self.request.key), self.part)
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

fn receipt_in(answered: &Answered) -> Result<ReceiptParts, GatewayError> {
    let receipt = answered.text(ReceiptParts::HEADER);
    let receipt = receipt.ok_or_else(|| untrusted("the answer to a voucher has no receipt"))?;
    ReceiptParts::from_header(receipt).map_err(|error| untrusted(&error.to_string()))
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
