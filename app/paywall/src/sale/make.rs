use axum::response::Response;
use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, Digest},
};
use solana_sha256_hasher::hash;
use tokio::time::timeout;

use super::request::{Forward, Request};
use crate::{
    answer_rule::Verdict,
    engine::{AnswerEvent, AnswerId},
    error::PaywallError,
    generate::{check_status, server_refusal},
    headers::stored_headers,
    paywall::Paywall,
    spool::{Answer, Room},
};

/// Time after which an answer whose payment was not sent is removed, seconds.
const PAY_SECONDS: i64 = 180;

impl Paywall {
    /// Has the model server make an answer and stores it. Returns the server's refusal, if it refuses.
    pub(super) async fn make(
        &self,
        request: &Request,
        (wallet, answer): (Pubkey, AnswerId),
        forward: Forward,
    ) -> Result<Option<Response>, PaywallError> {
        let (max, now) = (self.config().unpaid, self.engine().now());
        let _slot = self.in_flight().begin(answer, wallet, false)?;
        let open = self.spool().unpaid(Address(wallet), now) + self.in_flight().count(&wallet);
        if open > max as usize {
            return Err(PaywallError::TooManyUnpaid(max));
        }
        let room = self.spool().reserve(Address(wallet), request.route.most_answer_bytes as u64)?;
        let within = request.route.answer_within;
        let making = self.try_make(request, (wallet, answer), room, forward);
        match timeout(within, making).await {
            Ok(made) => made,
            Err(_) => Err(PaywallError::UpstreamTimeout(within.as_secs())),
        }
    }

    async fn try_make(
        &self,
        request: &Request,
        (wallet, answer): (Pubkey, AnswerId),
        room: Room,
        forward: Forward,
    ) -> Result<Option<Response>, PaywallError> {
        let route = &request.route;
        let (forwarded, server, share) = forward.into_request();
        let (parts, body) = server(forwarded).await.into_parts();
        drop(share);
        check_status(parts.status, &parts.headers)?;
        let body = self.answer_body(body, route.most_answer_bytes).await?;
        match route.answers.verdict(parts.status, &parts.headers, &body.bytes) {
            Verdict::Counts => {}
            Verdict::Passed => {
                return Ok(Some(server_refusal(parts.status, parts.headers, body)));
            }
            Verdict::Refused(reason) => return Err(PaywallError::UpstreamFailed(reason)),
        }
        let expires_at = self.engine().now().saturating_add(PAY_SECONDS);
        let stored = Answer {
            id: Digest(answer),
            part: 0,
            channel: Address(wallet),
            license: 0,
            units: route.most_units,
            request_digest: Digest(request.digest),
            output_digest: Digest(hash(&body.bytes).to_bytes()),
            target: request.named.clone(),
            status: parts.status.as_u16(),
            headers: stored_headers(parts.headers),
            expires_at,
            kept_until: expires_at.saturating_add(self.config().keep_seconds.into()),
            is_sale: true,
        };
        self.spool().put(stored, body.bytes, room).await?;
        self.engine().count(AnswerEvent::Generated);
        Ok(None)
    }
}
