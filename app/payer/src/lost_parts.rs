//! Parts of a stream that were paid for by a process which was killed before it kept them.

use std::{collections::VecDeque, sync::Arc};

use motif_sdk::{
    gateway::{IdempotencyKey, PaidAnswer, PaidPart, PaidRequest, PaidUnits},
    receipt::{Receipt, SignedReceipt},
};
use tokio::task::spawn_blocking;

use crate::{
    answers::{Cut, Head, StreamWriter, note_unkept},
    channels::PaidChannel,
    clock::now,
    exchanges::{Party, Recorder},
    headers,
    problem::PayerError,
    purchase::Purchase,
    request_log::NamedPurchase,
    service::PayerService,
};

/// Paid parts that the paywall has returned again.
pub(crate) struct LostParts {
    /// Content type of the joined parts.
    pub kind: String,
    pub parts: VecDeque<PaidPart>,
    /// Whether no later part was paid for.
    is_all: bool,
}

/// Maximum number of parts that are fetched again at once.
const MAX_PARTS: usize = 1_000;

impl PayerService {
    /// Fetches and keeps the parts that are missing after the kept ones. Nothing is paid.
    pub(crate) async fn parts_after(
        &self,
        cut: Box<Cut>,
        purchase: &Purchase,
        named: &NamedPurchase,
        recorder: &Recorder,
    ) -> VecDeque<PaidPart> {
        let lost = match self.request_after(&cut, purchase, named).await {
            Ok(Some((channel, request))) => {
                let after = Some((cut.parts, &cut.last));
                self.lost_parts(&channel, &request, after, recorder).await
            }
            Ok(None) => return VecDeque::new(),
            Err(error) => {
                tracing::warn!(%error, "the paid parts of a stream were not asked for");
                return VecDeque::new();
            }
        };
        let (answers, name) = (self.answers.clone(), named.name.clone());
        lost.keep(move || answers.resume(&name, &cut)).await
    }

    /// Fetches and keeps the first parts of a stream of which none was kept. Nothing is paid.
    pub(crate) async fn first_parts(
        &self,
        channel: &PaidChannel,
        request: &PaidRequest,
        named: &NamedPurchase,
        recorder: &Recorder,
    ) -> LostParts {
        let lost = self.lost_parts(channel, request, None, recorder).await;
        let (answers, NamedPurchase { name, request }) = (self.answers.clone(), named.clone());
        let kind = lost.kind.clone();
        let head = Head { request, status: 200, kind: kind.clone(), streams: true };
        let is_all = lost.is_all;
        let parts = lost.keep(move || answers.begin(&name, &head)).await;
        LostParts { kind, parts, is_all }
    }

    /// Returns the request of a stream with kept parts, and the channel that pays; `None` if it is closed.
    async fn request_after(
        &self,
        cut: &Cut,
        purchase: &Purchase,
        named: &NamedPurchase,
    ) -> Result<Option<(Arc<PaidChannel>, PaidRequest)>, PayerError> {
        self.channels.open_known().await?;
        let Receipt { channel, license, .. } = cut.last.receipt;
        let mut open = self.channels.all().into_iter();
        let Some(channel) = open.find(|open| open.payer.channel() == channel) else {
            return Ok(None);
        };
        let mut request = PaidRequest {
            method: purchase.method.clone(),
            url: purchase.target.as_str().to_owned(),
            headers: headers::texts(&purchase.headers)?,
            body: purchase.body.to_vec(),
            license,
            // Nothing is held for this request.
            units: PaidUnits::AtMost(u32::MAX),
            key: IdempotencyKey::random(),
            expires_at: now(),
        };
        self.requests.name(&mut request, &named.name)?;
        Ok(Some((channel, request)))
    }

    /// Fetches the paid parts after the last kept one, whose number is before the first of them.
    async fn lost_parts(
        &self,
        channel: &PaidChannel,
        request: &PaidRequest,
        after: Option<(u32, &SignedReceipt)>,
        recorder: &Recorder,
    ) -> LostParts {
        let mut number = after.map_or(0, |(kept, _)| kept);
        let mut last = after.map(|(_, signed)| place(signed));
        let mut lost = LostParts { kind: String::new(), parts: VecDeque::new(), is_all: false };
        let mut bytes = 0;
        while bytes <= self.settings.proxy.max_answer_bytes && lost.parts.len() < MAX_PARTS {
            let part = match channel.payer.paid_part(&self.paywall, request, number).await {
                Ok(Some(part)) => part,
                Ok(None) => {
                    lost.is_all = true;
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "a paid part of a stream was not returned");
                    break;
                }
            };
            let PaidAnswer { kind, body, receipt, .. } = part;
            // A receipt names no part: the same one again would be an earlier part.
            if last.is_some_and(|last| place(&receipt) <= last) {
                tracing::warn!("a paywall has returned a part of a stream for a later one");
                break;
            }
            last = Some(place(&receipt));
            (bytes, number) = (bytes + body.len(), number + 1);
            let what = format!("part {number}, {} bytes, again", body.len());
            recorder.add(Party::Paywall, Party::Payer, what);
            lost.kind = kind;
            lost.parts.push_back(PaidPart { body, receipt });
        }
        lost
    }
}

impl LostParts {
    /// Keeps the parts in the file that `open` returns. They reach the client also if this fails.
    async fn keep(
        self,
        open: impl FnOnce() -> Result<Option<StreamWriter>, PayerError> + Send + 'static,
    ) -> VecDeque<PaidPart> {
        let Self { parts, is_all, .. } = self;
        if parts.is_empty() && !is_all {
            return parts;
        }
        let kept = spawn_blocking(move || {
            let written = open().and_then(|writer| {
                let Some(mut writer) = writer else { return Ok(()) };
                parts.iter().try_for_each(|part| writer.part(part))?;
                if is_all { writer.cut() } else { Ok(()) }
            });
            (written, parts)
        });
        match kept.await {
            Ok((written, parts)) => {
                note_unkept(written);
                parts
            }
            Err(_) => VecDeque::new(),
        }
    }
}

/// Returns the place of a payment among those of its channel.
fn place(signed: &SignedReceipt) -> (u64, u32) {
    (signed.receipt.statement, signed.receipt.position)
}
