//! Every URL on one page.

use std::time::Duration;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use utoipa::{OpenApi, openapi::OpenApi as Document};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Gateway,
    problem::ApiError,
    routes::{
        channels, document, generations, health, operator, quotes, receipts, settlements, timeout,
        works,
    },
};

/// The longest body that is read, bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The longest a request may take that only asks this gateway.
const HERE: Duration = Duration::from_secs(30);
/// The longest a request may take that waits for a transaction to land or to expire.
const ON_CHAIN: Duration = Duration::from_secs(170);

#[derive(OpenApi)]
#[openapi(info(
    title = "Motif gateway",
    description = "Meters paid generations and settles them on chain. Token amounts are \
        strings of decimal digits in base units; refusals are RFC 9457 problems whose `type` \
        is a stable slug.",
))]
struct Api;

/// All URLs of a gateway.
pub fn router(gateway: Gateway) -> Router {
    let (here, on_chain) = groups();
    let within = |duration| middleware::from_fn_with_state(duration, timeout::within);
    Router::from(here)
        .layer(within(HERE))
        .merge(Router::from(on_chain).layer(within(ON_CHAIN)))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(gateway)
}

/// The description of this interface, as `GET /openapi.json` answers it.
pub fn openapi() -> Document {
    let (here, on_chain) = groups();
    OpenApiRouter::with_openapi(Api::openapi()).merge(here).merge(on_chain).into_openapi()
}

fn groups() -> (OpenApiRouter<Gateway>, OpenApiRouter<Gateway>) {
    let here = OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(document::show))
        .routes(routes!(operator::show))
        .routes(routes!(works::list))
        .routes(routes!(works::show))
        .routes(routes!(works::lineage))
        .routes(routes!(quotes::show))
        .routes(routes!(channels::open))
        .routes(routes!(channels::show))
        .routes(routes!(generations::accept))
        .routes(routes!(receipts::list))
        .routes(routes!(receipts::proof));
    let on_chain = OpenApiRouter::new()
        .routes(routes!(settlements::settle))
        .routes(routes!(settlements::close));
    (here, on_chain)
}
