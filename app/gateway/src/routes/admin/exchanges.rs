use axum::{Json, extract::State};
use motif_sdk::gateway::wire::ExchangeList;

use crate::App;

/// Lists the newest requests at the paywall of this process, with how each was paid and answered.
#[utoipa::path(get, operation_id = "list_exchanges", path = "/v1/exchanges", responses(
    (status = 200, body = ExchangeList),
))]
pub async fn list(State(app): State<App>) -> Json<ExchangeList> {
    Json(ExchangeList { exchanges: app.exchanges.newest() })
}
