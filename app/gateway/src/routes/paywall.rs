use axum::{Extension, Json};
use motif_paywall::Paywall;
use motif_sdk::gateway::wire::PaidRoutes;

/// Paywall of the gateway, among the router's extensions.
#[derive(Clone)]
pub struct OptionalPaywall(pub Option<Paywall>);

/// Lists the paid routes of the paywall with their present prices.
#[utoipa::path(get, operation_id = "show_paywall", path = "/v1/paywall", responses(
    (status = 200, body = PaidRoutes),
))]
pub async fn show(
    Extension(OptionalPaywall(paywall)): Extension<OptionalPaywall>,
) -> Json<PaidRoutes> {
    let facts = match paywall {
        Some(paywall) => paywall.facts().await,
        None => PaidRoutes { routes: Vec::new() },
    };
    Json(facts)
}
