//! Every URL on one page.

use std::time::Duration;

use axum::{
    Extension, Router,
    handler::Handler,
    http::{HeaderName, Method, header},
};
use motif_sdk::gateway::{
    IdempotencyKey,
    wire::{Payment, PaymentRequired, StreamEvent},
};
use tower::{
    Layer,
    layer::util::Identity,
    util::{Either, option_layer},
};
use tower_http::cors::CorsLayer;
use utoipa::{OpenApi, openapi::OpenApi as Document};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Gateway,
    paywall::{Paywall, PaywallLayer, Upstream},
    problem::ApiError,
    requests::{Admit, Observe, Whom},
    routes::{
        admin, authentications, channels, described, discovery, document, generations, health,
        holds, operator,
        paywall::{self, Sold},
        quotes, receipts, settlements, usage, works,
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

/// What stands in front of each route, the outermost first.
type Front = (Observe, Either<CorsLayer, Identity>, Admit);

/// All URLs of a gateway.
pub fn router(gateway: Gateway, paywall: Option<Paywall>) -> Router {
    let (open, served, on_chain) = groups();
    let here = Duration::from_secs(gateway.config().limits.request_seconds.into());
    let behind = |whom, within| {
        let admit = Admit::new(&gateway, whom).within(within);
        (Observe(gateway.clone()), option_layer(cors(&gateway)), admit)
    };
    let open = Router::from(open).layer(behind(Whom::Anybody, here));
    let open = open.layer(Extension(Sold(paywall)));
    let served = Router::from(served).layer(behind(Whom::Callers, here));
    let on_chain = Router::from(on_chain).layer(behind(Whom::Callers, ON_CHAIN));
    let all = open.merge(served).merge(on_chain);
    or_refused(all, behind(Whom::Anybody, here)).with_state(gateway)
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
    let admit = Admit::new(&gateway, Whom::Anybody);
    router.layer((Observe(gateway), admit))
}

/// All URLs of the operators' listener.
pub fn admin_router(gateway: Gateway) -> Router {
    let behind = |whom| {
        let admit = Admit::new(&gateway, whom).within(ON_CHAIN);
        (Observe(gateway.clone()), option_layer(None), admit)
    };
    let all = Router::from(admin_group()).layer(behind(Whom::Operators));
    or_refused(all, behind(Whom::Anybody)).with_state(gateway)
}

/// Answers what leads nowhere, to anybody, with a problem.
fn or_refused(router: Router<Gateway>, front: Front) -> Router<Gateway> {
    let not_allowed = (async || ApiError::MethodNotAllowed).layer(front.clone());
    let not_found = (async || ApiError::NotFound).layer(front);
    router.method_not_allowed_fallback(not_allowed).fallback(not_found)
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
