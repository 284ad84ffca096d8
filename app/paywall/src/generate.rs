use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::Response,
};
use motif_sdk::gateway::{part_id, wire::Digest};
use solana_sha256_hasher::hash;
use tokio::time::timeout;

use crate::{
    answer_rule::Verdict,
    body_budget::{BodyError, HeldBody},
    error::PaywallError,
    headers::stored_headers,
    held::Held,
    in_flight::Slot,
    paywall::Paywall,
    server::Server,
    spool::{Answer, Room},
};

/// Outcome of a request to the model server.
pub(crate) enum Generated {
    /// The answer is stored and can be paid for.
    Answer,
    /// The server refused the request, or its answer does not count: it costs nothing.
    Refused(Box<Response>),
}

/// Tolerance for vouchers that are sent at the end of a stream's pause.
const PAUSE_SLACK_SECONDS: i64 = 30;

impl Paywall {
    /// Has the server generate the answer and stores it; releases the hold otherwise.
    pub(crate) async fn generate(
        self,
        held: Held,
        (slot, room): (Slot, Room),
        request: Request,
        server: Server,
    ) -> Result<Generated, PaywallError> {
        let within = held.route.answer_within;
        let generating = self.try_generate(&held, (&slot, room), request, server);
        let generated = match timeout(within, generating).await {
            Ok(generated) => generated,
            Err(_) => Err(PaywallError::UpstreamTimeout(within.as_secs())),
        };
        if !matches!(generated, Ok(Generated::Answer)) {
            self.engine().release(held.ask.channel.0, held.id).await;
        }
        drop(slot);
        generated
    }

    async fn try_generate(
        &self,
        held: &Held,
        (slot, room): (&Slot, Room),
        request: Request,
        server: Server,
    ) -> Result<Generated, PaywallError> {
        let route = &held.route;
        let answering = async {
            let (parts, body) = server(request).await.into_parts();
            check_status(parts.status, &parts.headers)?;
            let body = self.answer_body(body, route.most_answer_bytes).await?;
            Ok::<_, PaywallError>((parts, body))
        };
        let (parts, body) = tokio::select! {
            answered = answering => answered?,
            () = slot.released() => return Err(PaywallError::HoldEnded),
        };
        match route.answers.verdict(parts.status, &parts.headers, &body.bytes) {
            Verdict::Counts => {}
            Verdict::Passed => {
                let response = server_refusal(parts.status, parts.headers, body);
                return Ok(Generated::Refused(Box::new(response)));
            }
            Verdict::Refused(reason) => return Err(PaywallError::UpstreamFailed(reason)),
        }
        let units = route.metered.units(&parts.headers, &body.bytes, held.ask.units)?;
        let (status, headers) = (parts.status, parts.headers);
        self.store(held, 0, units, (status, headers), body.bytes, room).await?;
        if slot.is_released() {
            self.spool().release(&held.id);
            return Err(PaywallError::HoldEnded);
        }
        Ok(Generated::Answer)
    }

    /// Reads the body of an answer within the budget of bodies.
    pub(crate) async fn answer_body(
        &self,
        body: Body,
        max_bytes: usize,
    ) -> Result<HeldBody, PaywallError> {
        self.bodies().collect(body, max_bytes).await.map_err(|error| match error {
            BodyError::TooLarge => PaywallError::AnswerTooLarge(max_bytes),
            BodyError::Broken => PaywallError::UpstreamFailed("its answer is incomplete".into()),
            BodyError::Full => PaywallError::Full,
        })
    }

    /// Stores an answer or a part until `keep_seconds` after its payment deadline.
    pub(crate) async fn store(
        &self,
        held: &Held,
        part: u32,
        units: u32,
        (status, headers): (StatusCode, HeaderMap),
        body: Bytes,
        room: Room,
    ) -> Result<Arc<Answer>, PaywallError> {
        let config = self.config();
        let expires_at = match part {
            // The client chose the hold's end; the answer takes room for the route's time only.
            0 => {
                let by_route = self.engine().now() + i64::from(held.route.hold_seconds());
                held.ask.expires_at.min(by_route)
            }
            // The hold covers the first part only; later parts have one pause to be paid.
            _ => self.engine().now() + i64::from(config.pause_seconds) + PAUSE_SLACK_SECONDS,
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
            is_sale: false,
        };
        self.spool().put(answer.clone(), body, room).await?;
        Ok(Arc::new(answer))
    }
}

/// Rejects server errors and redirects, which are no answer to pay for.
///
/// # Errors
/// [`PaywallError::UpstreamBusy`] with the `retry-after` of a 503; [`PaywallError::UpstreamFailed`].
pub(crate) fn check_status(status: StatusCode, headers: &HeaderMap) -> Result<(), PaywallError> {
    if status.is_success() || status.is_client_error() {
        return Ok(());
    }
    match headers.get(header::RETRY_AFTER) {
        Some(after) if status == StatusCode::SERVICE_UNAVAILABLE => {
            Err(PaywallError::UpstreamBusy(after.clone()))
        }
        _ => Err(PaywallError::UpstreamFailed(format!("status {}", status.as_u16()))),
    }
}

/// Returns the server's own refusal of a request without connection headers.
pub(crate) fn server_refusal(status: StatusCode, headers: HeaderMap, body: HeldBody) -> Response {
    let is_empty = body.bytes.is_empty();
    let (body, length) = body.into_body();
    let mut response = Response::new(if is_empty { Body::empty() } else { body });
    *response.status_mut() = status;
    if !is_empty {
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    for (name, value) in stored_headers(headers) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
