//! Webhooks of a person, which the header `motif-person` proves.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, StatusCode, request::Parts},
};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        Address, CreatedWebhook, Delivery, DeliveryList, NewWebhook, Problem, WebhookList,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    events::{require_part, require_person},
    extract::{JsonBody, PathParameter},
};
use crate::{App, error::GatewayError};

/// Person and webhook of a path.
pub struct OfPerson(Pubkey, String);

impl<S: Send + Sync> FromRequestParts<S> for OfPerson {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GatewayError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let invalid = |error: String| GatewayError::InvalidPath(String::new(), error);
        let Path((person, webhook)) = path.map_err(|error| invalid(error.body_text()))?;
        let parsed = person.parse::<Address>();
        let Address(person) =
            parsed.map_err(|error| GatewayError::InvalidPath(person, error.to_string()))?;
        Ok(Self(person, webhook))
    }
}

/// Answer to a removal.
#[derive(Serialize, ToSchema)]
pub struct RemovedWebhook {
    /// Identifier of the webhook.
    pub id: String,
}

/// Lists the webhooks of a person.
#[utoipa::path(get, operation_id = "list_webhooks", path = "/v1/people/{address}/webhooks",
    params(("address" = Address, Path), ("motif-person" = String, Header)),
    responses(
        (status = 200, body = WebhookList),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(app): State<App>,
    PathParameter(Address(person)): PathParameter<Address>,
    headers: HeaderMap,
) -> Result<Json<WebhookList>, GatewayError> {
    require_person(&app, &person, &headers)?;
    Ok(Json(app.events.webhooks(&person).await?))
}

/// Adds a webhook of a person, which has at most five. The answer has the secret of its signatures,
/// which is not shown again.
#[utoipa::path(post, operation_id = "add_webhook", path = "/v1/people/{address}/webhooks",
    params(("address" = Address, Path), ("motif-person" = String, Header)),
    request_body = NewWebhook,
    responses(
        (status = 201, body = CreatedWebhook),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn add(
    State(app): State<App>,
    PathParameter(Address(person)): PathParameter<Address>,
    headers: HeaderMap,
    JsonBody(new): JsonBody<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), GatewayError> {
    require_person(&app, &person, &headers)?;
    require_part(&app, &person).await?;
    Ok((StatusCode::CREATED, Json(app.events.add_webhook(&person, &new).await?)))
}

/// Removes a webhook of a person with its log.
#[utoipa::path(delete, operation_id = "remove_webhook", path = "/v1/people/{address}/webhooks/{webhook}",
    params(("address" = Address, Path), ("webhook" = String, Path), ("motif-person" = String, Header)),
    responses(
        (status = 200, body = RemovedWebhook),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn remove(
    State(app): State<App>,
    OfPerson(person, id): OfPerson,
    headers: HeaderMap,
) -> Result<Json<RemovedWebhook>, GatewayError> {
    require_person(&app, &person, &headers)?;
    app.events.remove_webhook(&person, &id).await?;
    Ok(Json(RemovedWebhook { id }))
}

/// Has an event sent to a webhook, to try it. A success enables a disabled webhook.
#[utoipa::path(post, operation_id = "test_webhook", path = "/v1/people/{address}/webhooks/{webhook}/test",
    params(("address" = Address, Path), ("webhook" = String, Path), ("motif-person" = String, Header)),
    responses(
        (status = 202, body = Delivery),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn test(
    State(app): State<App>,
    OfPerson(person, id): OfPerson,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Delivery>), GatewayError> {
    require_person(&app, &person, &headers)?;
    Ok((StatusCode::ACCEPTED, Json(app.events.test_webhook(&person, &id).await?)))
}

/// Lists the last deliveries to a webhook, newest event first.
#[utoipa::path(get, operation_id = "list_deliveries",
    path = "/v1/people/{address}/webhooks/{webhook}/deliveries",
    params(("address" = Address, Path), ("webhook" = String, Path), ("motif-person" = String, Header)),
    responses(
        (status = 200, body = DeliveryList),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn deliveries(
    State(app): State<App>,
    OfPerson(person, id): OfPerson,
    headers: HeaderMap,
) -> Result<Json<DeliveryList>, GatewayError> {
    require_person(&app, &person, &headers)?;
    Ok(Json(app.events.deliveries(&person, &id).await?))
}
