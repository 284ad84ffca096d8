//! Events as they happen, as server-sent events.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, header::CACHE_CONTROL},
    response::Response,
};
use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, Digest, Event, Problem},
};

use super::{channels::readable, extract::PathParameter};
use crate::{App, admission::ClientAddress, error::GatewayError, events::EventsOf, keys::Caller};

/// Header with the id after which a stream continues.
pub const LAST_EVENT_ID: &str = "last-event-id";

/// Streams the events of a person, to the person: `id` is the event's id, `event` its kind and `data` the
/// event as JSON. The header `last-event-id` continues after an event; an id that is not kept begins with
/// the oldest event. A stream ends after 15 minutes.
#[utoipa::path(get, operation_id = "stream_person_events", path = "/v1/people/{address}/events",
    params(
        ("address" = Address, Path),
        ("motif-person" = String, Header),
        ("last-event-id" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Event, content_type = "text/event-stream"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn of_person(
    State(app): State<App>,
    PathParameter(Address(person)): PathParameter<Address>,
    headers: HeaderMap,
    Extension(client): Extension<ClientAddress>,
) -> Result<Response, GatewayError> {
    require_person(&app, &person, &headers)?;
    stream(&app, EventsOf::Person(person), client, &headers).await
}

/// Streams the events of a channel, to its payer or the holder of an API key that is bound to it.
#[utoipa::path(get, operation_id = "stream_channel_events", path = "/v1/channels/{channel}/events",
    params(
        ("channel" = Address, Path),
        ("motif-reader" = Option<String>, Header),
        ("last-event-id" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Event, content_type = "text/event-stream"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 421, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn of_channel(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    headers: HeaderMap,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<ClientAddress>,
) -> Result<Response, GatewayError> {
    readable(&app, &channel, &headers, &caller).await?;
    stream(&app, EventsOf::Channel(channel), client, &headers).await
}

/// Checks that the request proves this person.
///
/// # Errors
/// [`GatewayError::NotThePerson`], [`GatewayError::RequestStale`].
pub fn require_person(app: &App, person: &Pubkey, headers: &HeaderMap) -> Result<(), GatewayError> {
    let is_proven = app.record.reader(headers)?.is_some_and(|reader| reader == *person);
    is_proven.then_some(()).ok_or(GatewayError::NotThePerson)
}

/// Checks that there is something to tell a person about, so that keys without anything take no places.
///
/// # Errors
/// [`GatewayError::NotFound`] if no events are told, [`GatewayError::NothingToTell`], [`GatewayError::ChainUnreachable`].
pub async fn require_part(app: &App, person: &Pubkey) -> Result<(), GatewayError> {
    if app.config.events.is_none() {
        return Err(GatewayError::NotFound);
    }
    let has_part = app.record.has_part(person).await?;
    has_part.then_some(()).ok_or(GatewayError::NothingToTell)
}

async fn stream(
    app: &App,
    of: EventsOf,
    client: ClientAddress,
    headers: &HeaderMap,
) -> Result<Response, GatewayError> {
    let last = headers.get(LAST_EVENT_ID).and_then(|last| last.to_str().ok());
    let last = last.filter(|last| !last.is_empty());
    let last = last.map(|last| last.parse().unwrap_or(Digest([0; 32])));
    let mut response = app.events.stream(of, client, last).await?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
