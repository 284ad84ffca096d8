use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, Problem, Quote, Use};
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::{PathParameter, QueryString};
use crate::{App, error::GatewayError};

/// Query of a quote.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QuoteQuery {
    /// Use to quote.
    #[serde(rename = "use")]
    pub licensed_use: Use,
}

/// Quotes the price of a work's use at this gateway, by the latest terms.
#[utoipa::path(
    get, operation_id = "show_quote",
    path = "/v1/works/{work}/quotes",
    params(("work" = Address, Path), QuoteQuery),
    responses(
        (status = 200, body = Quote),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    State(app): State<App>,
    PathParameter(Address(work)): PathParameter<Address>,
    QueryString(query): QueryString<QuoteQuery>,
) -> Result<Json<Quote>, GatewayError> {
    Ok(Json(app.catalogue.quote(work, query.licensed_use).await?))
}
