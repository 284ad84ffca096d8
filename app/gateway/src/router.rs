//! Every URL on one page.

use std::time::Duration;

use axum::{
    Extension, Router,
    http::{HeaderName, Method, header},
    middleware::from_fn_with_state,
};
use motif_sdk::gateway::{
    IdempotencyKey,
    wire::{Payment, PaymentRequired, StreamEvent},
};
use tower::Layer;
use tower_http::cors::CorsLayer;
use utoipa::{OpenApi, openapi::OpenApi as Document};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Gateway,
    paywall::{Paywall, PaywallLayer, Upstream},
    problem::ApiError,
    requests,
    routes::{
        admin, authentications, channels, described, discovery, document, generations, health,
        holds, operator,
        paywall::{self, Sold},
        quotes, receipts, settlements, timeout, usage, works,
    },
};

/// The longest body that is read, bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The longest a request may take that waits for a transaction to land or to expire.
const ON_CHAIN: Duration = Duration::from_secs(170);
/// How long browsers may remember what they may ask.
const PREFLIGHT: Duration = Duration::from_secs(3_600);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Motif gateway",
        description = "Meters paid generations and settles them on chain. Token amounts are \
        strings of decimal digits in base units; refusals are RFC 9457 problems whose `type` \
        is a stable slug. What is sold in front of a model server is asked for at the paywall's \
        own address, with the header `motif-payment`: the schemas `Payment`, `PaymentRequired` and \
        `StreamEvent` are what travels there.",
    ),
    components(schemas(Payment, PaymentRequired, StreamEvent))
)]
struct Api;

#[derive(OpenApi)]
#[openapi(info(
    title = "Motif gateway, for operators",
    description = "Listens beside the public interface, to whoever knows the operators' secret \
        or has an API key of scope `admin`: `authorization: Bearer ...`.",
))]
struct AdminApi;

/// All URLs of a gateway.
pub fn router(gateway: Gateway, paywall: Option<Paywall>) -> Router {
    let (open, served, on_chain) = groups();
    let here = Duration::from_secs(gateway.config().limits.request_seconds.into());
    let authorized = |routes, within| {
        let state = (gateway.clone(), within);
        Router::from(routes).layer(from_fn_with_state(state, requests::authorize))
    };
    let authorized = authorized(served, here).merge(authorized(on_chain, ON_CHAIN));
    let open = Router::from(open).layer(from_fn_with_state(here, timeout::within));
    let open = open.layer(Extension(Sold(paywall)));
    let cors = cors(&gateway);
    observed(open.merge(authorized), gateway, cors)
}

/// All URLs of the server that is sold, as far as they have a way through.
pub fn paywall_router(paywall: Paywall) -> Router {
    let gateway = paywall.gateway().clone();
    let server = paywall.routes().upstream().cloned();
    let router = match server {
        Some(url) => {
            let server = Upstream::new(url, paywall.routes().most_request_bytes());
            Router::new().fallback_service(PaywallLayer::new(paywall).layer(server.service()))
        }
        // The configuration's check does not let this happen.
        None => Router::new().fallback(async || ApiError::NotFound),
    };
    let router = router.layer(from_fn_with_state(gateway.clone(), requests::admit));
    router.layer(from_fn_with_state(gateway, requests::observe))
}

/// All URLs of the operators' listener.
pub fn admin_router(gateway: Gateway) -> Router {
    let all = Router::from(admin_group());
    let state = (gateway.clone(), ON_CHAIN);
    let all = all.layer(from_fn_with_state(state, requests::authorize_admin));
    observed(all, gateway, None)
}

/// What every request goes through, the first layer last. Few of them: each costs every request
/// a service and a future of its own.
fn observed(router: Router<Gateway>, gateway: Gateway, cors: Option<CorsLayer>) -> Router {
    let router = router
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(from_fn_with_state(gateway.clone(), requests::admit_short));
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(from_fn_with_state(gateway.clone(), requests::observe)).with_state(gateway)
}

/// Lets pages of the configured origins ask; without any there is nothing to answer browsers.
fn cors(gateway: &Gateway) -> Option<CorsLayer> {
    let origins = &gateway.config().cors_origins;
    if origins.is_empty() {
        return None;
    }
    let headers = [
        header::CONTENT_TYPE,
        header::AUTHORIZATION,
        HeaderName::from_static(IdempotencyKey::HEADER),
    ];
    let layer = CorsLayer::new()
        .allow_origin(origins.iter().map(|origin| origin.header()).collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(headers)
        .expose_headers([header::RETRY_AFTER])
        .max_age(PREFLIGHT);
    Some(layer)
}

/// The description of this interface, as `GET /openapi.json` answers it.
pub fn openapi() -> Document {
    let (open, served, on_chain) = groups();
    let described = |document: Document, routes: OpenApiRouter<Gateway>| {
        OpenApiRouter::with_openapi(document).merge(routes).into_openapi()
    };
    let open = described::limited(described(Api::openapi(), open));
    let keyed = described::keyed(described(Api::openapi(), served.merge(on_chain)));
    let mut document = open;
    document.merge(keyed);
    described::bounded(document)
}

/// The description of the operators' interface.
pub fn admin_openapi() -> Document {
    let document = OpenApiRouter::with_openapi(AdminApi::openapi()).merge(admin_group());
    described::bounded(described::keyed(document.into_openapi()))
}

/// What needs no key, what does, and what of that waits for the chain.
fn groups() -> (OpenApiRouter<Gateway>, OpenApiRouter<Gateway>, OpenApiRouter<Gateway>) {
    let open = OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(document::show))
        .routes(routes!(operator::show))
        .routes(routes!(paywall::show))
        .routes(routes!(discovery::discover))
        .routes(routes!(discovery::robots))
        .routes(routes!(discovery::rsl))
        .routes(routes!(works::list))
        .routes(routes!(works::show))
        .routes(routes!(works::lineage))
        .routes(routes!(quotes::show))
        .routes(routes!(authentications::authenticate));
    let served = OpenApiRouter::new()
        .routes(routes!(channels::open))
        .routes(routes!(channels::show))
        .routes(routes!(generations::accept))
        .routes(routes!(generations::accept_batch))
        .routes(routes!(holds::hold))
        .routes(routes!(holds::capture))
        .routes(routes!(holds::release))
        .routes(routes!(usage::show))
        .routes(routes!(receipts::list))
        .routes(routes!(receipts::proof));
    let on_chain = OpenApiRouter::new()
        .routes(routes!(settlements::settle))
        .routes(routes!(settlements::close));
    (open, served, on_chain)
}

fn admin_group() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(admin::document::show))
        .routes(routes!(admin::metrics::show))
        .routes(routes!(admin::keys::list, admin::keys::create))
        .routes(routes!(admin::keys::revoke))
        .routes(routes!(admin::channels::list))
        .routes(routes!(admin::channels::settle))
        .routes(routes!(admin::channels::close))
        .routes(routes!(admin::channels::claim_fees))
        .routes(routes!(admin::channels::set_budget))
        .routes(routes!(admin::usage::show))
        .routes(routes!(admin::reconciliation::show))
}
