use std::{collections::VecDeque, time::Duration};

use motif_payer::{
    Purchase,
    purchase::{check_output, check_receipt},
    stream::{KIND_HEADER, failure, part_bytes, read_event},
};
use reqwest::Response;
use tokio::time::timeout;

use super::{PaidAnswer, Payer};
use crate::{
    gateway::{
        GatewayError, PaidRequest, PaywallClient, ProblemType,
        error::untrusted,
        paywall::{Answered, unreachable},
        wire::{Address, Digest, Due, PayForAnswer, Payment, ReceiptParts, StreamEnd, StreamEvent},
    },
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};

/// Stream from behind a paywall, paid part by part. Dropping it ends the payments.
pub struct PaidStream {
    payer: Payer,
    client: PaywallClient,
    request: PaidRequest,
    purchase: Purchase,
    /// `None` after the connection is lost.
    response: Option<Response>,
    kind: String,
    buffered: VecDeque<u8>,
    /// Number of the next part.
    part: u32,
    /// Units of the parts that arrived.
    units: u64,
    /// Payment of a part that has not arrived.
    paid: Option<PartPayment>,
    /// Event that [`PaidStream::is_over`] has read.
    peeked: Option<StreamEvent>,
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
/// Time in which a part arrives that is paid for; then it is fetched again.
const PAID_EVENT_TIMEOUT: Duration = Duration::from_secs(60);

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
        let purchase = request.purchase()?;
        let response = client.open(request, &self.ask(&purchase)?).await?;
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
            purchase,
            response: Some(response),
            buffered: VecDeque::new(),
            part: 0,
            units: 0,
            paid: None,
            peeked: None,
        })
    }

    /// Returns a part of a stream that was paid for, without another payment, or `None` if it was not paid
    /// for: for a payer that was stopped after it had paid and before it had the part. `request` is that
    /// of the stream, `part` a number from 0; a whole answer is part 0.
    ///
    /// The paywall keeps a paid part for some time. Its receipt does not name the part's number: the receipts
    /// of a stream ascend in statement and position.
    ///
    /// # Errors
    /// As [`Payer::fetch`].
    pub async fn paid_part(
        &self,
        client: &PaywallClient,
        request: &PaidRequest,
        part: u32,
    ) -> Result<Option<PaidAnswer>, GatewayError> {
        self.resume().await?;
        let purchase = request.purchase()?;
        let again = request.clone().header(PaidStream::PART, &part.to_string());
        let answered = client.send(&again, &self.ask(&purchase)?).await?;
        if answered.status.is_success() {
            return self.paid_before(&purchase, answered).map(Some);
        }
        let refusal = answered.refusal();
        match refusal.problem_type() {
            Some(ProblemType::UnknownAnswer) => Ok(None),
            _ => Err(refusal),
        }
    }
}

impl PaidStream {
    /// Name of the header with the content type of the joined parts.
    pub const KIND: &'static str = KIND_HEADER;
    /// Name of the header with the number of a paid part that is asked for again.
    pub const PART: &'static str = "motif-part";

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
            let event = match self.peeked.take() {
                Some(event) => Ok(event),
                None if self.paid.is_some() => self.paid_event().await,
                None => self.event().await,
            };
            let event = match event {
                Ok(event) => event,
                Err(error) => match self.paid {
                    Some(paid) => return self.fetch_again(paid).await.map(Some),
                    None => return Err(error),
                },
            };
            match event {
                StreamEvent::Due(due) => self.pay(&due).await?,
                StreamEvent::Output(output) => {
                    let body = part_bytes(&output)?;
                    let paid = self.paid.take();
                    let paid = paid.ok_or_else(|| untrusted("an unpaid part arrived"))?;
                    return self.handed_over(body, paid.receipt).map(Some);
                }
                StreamEvent::End(_) | StreamEvent::Failed(_) if let Some(paid) = self.paid => {
                    return self.fetch_again(paid).await.map(Some);
                }
                StreamEvent::End(end) => return self.check_end(&end).map(|()| None),
                StreamEvent::Failed(failed) => return Err(failure(failed).into()),
            }
        }
    }

    /// Waits for the paywall's next event without paying for a part; returns whether the stream is
    /// over.
    ///
    /// # Errors
    /// [`GatewayError::Unreachable`], [`GatewayError::Untrusted`].
    pub async fn is_over(&mut self) -> Result<bool, GatewayError> {
        if self.paid.is_some() {
            return Ok(false);
        }
        if self.peeked.is_none() {
            self.peeked = Some(self.event().await?);
        }
        match &self.peeked {
            Some(StreamEvent::End(end)) => self.check_end(end).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Checks that all parts have arrived.
    fn check_end(&self, end: &StreamEnd) -> Result<(), GatewayError> {
        let is_all = (end.parts, end.units) == (self.part, self.units);
        if is_all { Ok(()) } else { Err(untrusted("the stream's end names other parts")) }
    }

    /// Waits for the event of a part that the paywall can send, because it is paid for.
    async fn paid_event(&mut self) -> Result<StreamEvent, GatewayError> {
        if let Ok(event) = timeout(PAID_EVENT_TIMEOUT, self.event()).await {
            return event;
        }
        // The part is fetched by another request.
        self.response = None;
        Err(untrusted("a paid part did not arrive"))
    }

    /// Pays for a due part.
    async fn pay(&mut self, due: &Due) -> Result<(), GatewayError> {
        if self.paid.is_some() {
            return Err(untrusted("payment is due while a paid part is missing"));
        }
        let (receipt, voucher) = self.payer.pay_due(&self.purchase, self.part, due).await?;
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
        check_receipt(&paid.receipt, answered.text(ReceiptParts::HEADER))?;
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
        check_output(&receipt, &body)?;
        self.part += 1;
        self.units = self.units.saturating_add(receipt.receipt.units.into());
        Ok(PaidPart { body, receipt })
    }

    fn part_id(&self) -> [u8; 32] {
        self.payer.name(&self.purchase, self.part)
    }

    /// Returns the next event; skips comments.
    async fn event(&mut self) -> Result<StreamEvent, GatewayError> {
        let max_bytes = self.client.limit().saturating_mul(2) + MAX_ENVELOPE_BYTES;
        loop {
            let bytes = self.buffered.make_contiguous();
            let end = bytes.windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let event: Vec<u8> = self.buffered.drain(..end + 2).collect();
                match read_event(&event)? {
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
