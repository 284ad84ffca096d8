use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, Problem, Quote, UseWord};
use serde::Deserialize;
use utoipa::IntoParams;

use super::named::{Asked, Named};
use crate::{Gateway, problem::ApiError};

/// What to quote.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QuoteAsked {
    /// What is to be done with the work.
    #[serde(rename = "use")]
    pub licensed_use: UseWord,
}

/// What a use of a work costs here, by its latest terms.
#[utoipa::path(
    get, operation_id = "show_quote",
    path = "/v1/works/{work}/quotes",
    params(("work" = Address, Path), QuoteAsked),
    responses(
        (status = 200, body = Quote),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    State(gateway): State<Gateway>,
    Named(Address(work)): Named<Address>,
    Asked(asked): Asked<QuoteAsked>,
) -> Result<Json<Quote>, ApiError> {
    Ok(Json(gateway.quote(work, asked.licensed_use).await?))
}
