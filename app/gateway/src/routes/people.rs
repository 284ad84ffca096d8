use axum::{Json, extract::State, http::HeaderMap};
use motif_sdk::gateway::wire::{Address, PaidChannels, PersonEarnings, Problem};

use super::extract::PathParameter;
use crate::{App, error::GatewayError};

/// Shows where the money of all works of a person is. With the header `motif-person` of that person it
/// includes what payers have signed for at this gateway.
#[utoipa::path(get, operation_id = "show_person_earnings", path = "/v1/people/{address}/earnings",
    params(("address" = Address, Path), ("motif-person" = Option<String>, Header)),
    responses(
        (status = 200, body = PersonEarnings),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn earnings(
    State(app): State<App>,
    PathParameter(Address(person)): PathParameter<Address>,
    headers: HeaderMap,
) -> Result<Json<PersonEarnings>, GatewayError> {
    let reader = app.record.reader(&headers)?;
    Ok(Json(app.record.person(person, reader).await?))
}

/// Lists the channels that an address pays for, as they are on chain.
#[utoipa::path(get, operation_id = "list_paid_channels", path = "/v1/people/{address}/channels",
    params(("address" = Address, Path)),
    responses(
        (status = 200, body = PaidChannels),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn channels(
    State(app): State<App>,
    PathParameter(Address(payer)): PathParameter<Address>,
) -> Result<Json<PaidChannels>, GatewayError> {
    Ok(Json(app.record.channels(payer).await?))
}
