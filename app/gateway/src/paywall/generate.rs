use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode},
    response::Response,
};
use futures::StreamExt;
use motif_sdk::gateway::{part_id, wire::Digest};
use solana_sha256_hasher::hash;
use tokio::time::timeout;

use super::{
    Paywall, PaywallRefusal, SpoolError, headers::stored_headers, held::Held, in_flight::Slot,
    layer::Server, spool::Answer,
};
use crate::error::GatewayError;

/// What came of asking the server.
pub(super) enum Generated {
    /// An answer that is kept and can be paid for.
    Answer,
    /// The server refuses the request: nothing to pay for.
    Refused(Box<Response>),
}

/// A voucher that is sent as a pause ends is taken.
const PAUSE_SLACK_SECONDS: i64 = 30;

impl Paywall {
    /// Has an answer made and keeps it, or gives the hold up.
    pub(super) async fn generate(
        self,
        held: Held,
        slot: Slot,
        request: Request,
        server: Server,
    ) -> Result<Generated, GatewayError> {
        let within = held.route.answer_within;
        let generated = match timeout(within, self.try_generate(&held, request, server)).await {
            Ok(generated) => generated,
            Err(_) => Err(PaywallRefusal::UpstreamTimeout(within.as_secs()).into()),
        };
        if !matches!(generated, Ok(Generated::Answer)) {
            self.app().holds.abandon(&held.ask.channel.0, held.id).await;
        }
        drop(slot);
        generated
    }

    async fn try_generate(
        &self,
        held: &Held,
        request: Request,
        server: Server,
    ) -> Result<Generated, GatewayError> {
        let route = &held.route;
        let (parts, body) = server(request).await.into_parts();
        check_status(parts.status)?;
        let body = match collect(body, route.most_answer_bytes).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                return Err(PaywallRefusal::AnswerTooLarge(route.most_answer_bytes).into());
            }
            Err(BodyError::Broken) => {
                return Err(PaywallRefusal::UpstreamFailed("its answer broke off".into()).into());
            }
        };
        if !parts.status.is_success() {
            return Ok(Generated::Refused(Box::new(server_refusal(
                parts.status,
                parts.headers,
                body,
            ))));
        }
        let units = route.metered.units(&parts.headers, &body, held.ask.units)?;
        let (status, headers) = (parts.status, parts.headers);
        self.store(held, 0, units, status, headers, body).await?;
        Ok(Generated::Answer)
    }

    /// Keeps an answer, or a part of one, until some time after it can be paid for.
    pub(super) async fn store(
        &self,
        held: &Held,
        part: u32,
        units: u32,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Arc<Answer>, GatewayError> {
        let config = self.config();
        let expires_at = match part {
            0 => held.ask.expires_at,
            // What is held ends with the first part; the others have the time of a pause.
            _ => self.app().cluster.now() + i64::from(config.pause_seconds) + PAUSE_SLACK_SECONDS,
        };
        let id = part_id(&held.id, part);
        let answer = Answer {
            id: Digest(id),
            part,
            channel: held.ask.channel,
            license: held.ask.license,
            units,
            request_digest: Digest(held.request_digest),
            output_digest: Digest(hash(&body).to_bytes()),
            target: held.target.clone(),
            status: status.as_u16(),
            headers: stored_headers(headers),
            expires_at,
            kept_until: expires_at.saturating_add(i64::from(config.keep_seconds)),
        };
        match self.spool().put(answer.clone(), body).await {
            Ok(()) => Ok(Arc::new(answer)),
            Err(SpoolError::Full) => Err(PaywallRefusal::Full.into()),
            Err(error) => Err(GatewayError::internal(error)),
        }
    }
}

/// Why a body is not whole.
pub(super) enum BodyError {
    TooLarge,
    Broken,
}

/// All of a body, if it is no longer than this.
pub(super) async fn collect(body: Body, most_bytes: usize) -> Result<Bytes, BodyError> {
    let mut chunks = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        if all.len() + chunk.len() > most_bytes {
            return Err(BodyError::TooLarge);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.into())
}

/// A server that fails, or that sends clients elsewhere, has made nothing to pay for.
pub(super) fn check_status(status: StatusCode) -> Result<(), GatewayError> {
    if status.is_success() || status.is_client_error() {
        return Ok(());
    }
    Err(PaywallRefusal::UpstreamFailed(format!("status {}", status.as_u16())).into())
}

/// The server's own refusal of a request, which costs nothing.
pub(super) fn server_refusal(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in stored_headers(headers) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
