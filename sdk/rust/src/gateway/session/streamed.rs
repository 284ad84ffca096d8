use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use reqwest::Response;
use serde_json::json;
use solana_sha256_hasher::hash;

use super::{
    PayerSession,
    paid::{PaidRequest, TRIES},
};
use crate::{
    gateway::{
        GatewayError, PaywallClient, hold_id, part_id,
        paywall::{Answered, unreachable, untrusted},
        wire::{
            Address, Due, PayForAnswer, Payment, PaymentRequired, Problem, ReceiptParts,
            StreamEvent, VoucherParts,
        },
    },
    receipt::SignedReceipt,
};

/// An answer that streams from behind a paywall, part by part. Dropped, it costs nothing more.
pub struct PaidStream {
    client: PaywallClient,
    request: PaidRequest,
    request_digest: [u8; 32],
    /// `None` once it has broken off.
    response: Option<Response>,
    kind: String,
    buffered: VecDeque<u8>,
    /// The part that comes next.
    part: u32,
    /// What was paid for and has not arrived.
    paid: Option<(VoucherParts, SignedReceipt)>,
}

/// A part of an answer, paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidPart {
    /// Its bytes; the receipt names their digest.
    pub body: Vec<u8>,
    /// Its receipt, verified.
    pub receipt: SignedReceipt,
}

/// Beside the body, an event has a receipt and some names.
const MOST_ENVELOPE_BYTES: usize = 16 << 10;

impl PayerSession {
    /// Has a model server behind a paywall answer part by part. Nothing is paid before
    /// [`PaidStream::next`] is asked for it.
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
        let ask = Payment::Ask(self.asking(request, request_digest, None));
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
    /// The header that says what the parts are of.
    pub const KIND: &'static str = "motif-content-type";

    /// The content type of the answer that its parts add up to.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Pays for the next part and returns it; `None` after the last.
    ///
    /// What was paid for is fetched again when the stream breaks off before it arrives. After
    /// an error, what was not handed over was not charged, except where it is
    /// [`GatewayError::Unreachable`]: then this can be called again.
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
                    let (_, receipt) = self
                        .paid
                        .take()
                        .ok_or_else(|| untrusted("it handed over what nobody has paid for"))?;
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
                    })));
                }
            }
        }
    }

    /// Signs for what is due and has it taken.
    async fn pay(&mut self, session: &mut PayerSession, due: Due) -> Result<(), GatewayError> {
        let mut due = due;
        for _ in 0..TRIES {
            if due.part != self.part || due.answer.0 != self.part_id(session) {
                return Err(untrusted("it wants to be paid for another part"));
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
        Err(untrusted("it takes no voucher for what it asks"))
    }

    /// What was paid for, from where it is kept.
    async fn fetch_again(
        &mut self,
        session: &PayerSession,
        voucher: VoucherParts,
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
            return Err(untrusted("it handed over another part than it was paid for"));
        }
        self.part += 1;
        Ok(PaidPart { body, receipt })
    }

    fn part_id(&self, session: &PayerSession) -> [u8; 32] {
        let slot = session.channel.opened_slot;
        part_id(&hold_id(&session.address, slot, &self.request.key), self.part)
    }

    /// The next event; comments are none.
    async fn event(&mut self) -> Result<StreamEvent, GatewayError> {
        let most_bytes = self.client.limit().saturating_mul(2) + MOST_ENVELOPE_BYTES;
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
            if self.buffered.len() > most_bytes {
                return Err(untrusted("an event is longer than this client takes"));
            }
            let over = || untrusted("the stream broke off before its end");
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
    let receipt = receipt.ok_or_else(|| untrusted("it took a voucher without a receipt"))?;
    ReceiptParts::from_header(receipt).map_err(|error| untrusted(&error.to_string()))
}

/// Reads an event; `None` for a comment.
fn read(event: &[u8]) -> Result<Option<StreamEvent>, GatewayError> {
    let text = std::str::from_utf8(event).map_err(|_| untrusted("an event is no text"))?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let (Some(name), Some(data)) = (field("event: "), field("data: ")) else { return Ok(None) };
    let data: serde_json::Value =
        serde_json::from_str(data).map_err(|error| untrusted(&error.to_string()))?;
    let event = serde_json::from_value(json!({ "event": name, "data": data }));
    event.map(Some).map_err(|error| untrusted(&error.to_string()))
}
