use axum::{Extension, Json};
use motif_sdk::gateway::wire::PaidRoutes;

use crate::paywall::Paywall;

/// What is sold beside the gateway's own interface, if anything is.
#[derive(Clone)]
pub struct Sold(pub Option<Paywall>);

/// What can be paid for in front of a model server, with what it costs now.
#[utoipa::path(get, operation_id = "show_paywall", path = "/v1/paywall", responses(
    (status = 200, body = PaidRoutes),
))]
pub async fn show(Extension(Sold(paywall)): Extension<Sold>) -> Json<PaidRoutes> {
    let facts = match paywall {
        Some(paywall) => paywall.facts().await,
        None => PaidRoutes { routes: Vec::new() },
    };
    Json(facts)
}
