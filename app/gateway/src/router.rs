//! Every URL on one page.

use std::time::Duration;

use axum::{
    Extension, Router,
    handler::Handler,
    http::{HeaderName, Method, header},
    middleware::from_fn_with_state,
};
use motif_paywall::Paywall;
use motif_sdk::gateway::{
    IdempotencyKey,
    wire::{Payment, PaymentRequired, PersonProof, ReaderProof, StreamEvent},
};
use tower::{
    layer::util::Identity,
    util::{Either, option_layer},
};
use tower_http::cors::{AllowHeaders, CorsLayer};
use utoipa::{OpenApi, openapi::OpenApi as OpenApiDocument};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    error::GatewayError,
    exchanges,
    middleware::{Access, Admit, Trace},
    paywall::{is_sale, sales_router},
    routes::{
        actions, admin, authentications, chain, channels, discovery,
        events::{self, LAST_EVENT_ID},
        generations, health, holds, hosted_files, olp,
        openapi::{self as documents, Document},
        operator,
        paywall::{self, OptionalPaywall},
        people, quotes, receipts, settlements,
        storefront::with_storefront,
        studio, usage, webhooks, work_record, works, x402,
    },
};

/// Time limit of requests that wait for a transaction.
const ON_CHAIN: Duration = Duration::from_secs(170);
/// Time for which browsers cache a CORS preflight.
const PREFLIGHT: Duration = Duration::from_secs(3_600);
/// Headers of a paywall's responses that pages read.
const EXPOSED: [&str; 10] = [
    "motif-payment-required",
    "motif-receipt",
    "motif-content-type",
    "payment-required",
    "payment-response",
    "payment-receipt",
    "www-authenticate",
    "link",
    "crawler-price",
    "retry-after",
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Motif gateway",
        description = "Meters paid generations and settles them on chain. Token amounts are \
        strings of decimal digits in base units. Errors are RFC 9457 problems whose `type` \
        is a stable slug. A paywall in front of a model server has an address of its own and \
        takes payment in the header `motif-payment`, with the schemas `Payment`, \
        `PaymentRequired` and `StreamEvent`. A channel's state, receipts and usage are shown to its \
        payer, by the header `motif-reader` with the schema `ReaderProof`, or to the holder of an \
        API key that is bound to the channel.",
    ),
    components(schemas(Payment, PaymentRequired, ReaderProof, StreamEvent))
)]
struct Api;

#[derive(OpenApi)]
#[openapi(info(
    title = "Motif gateway, admin interface",
    description = "Requires the admin secret or an API key with the scope `admin`: \
        `authorization: Bearer ...`.",
))]
struct AdminApi;

/// Middleware of a route, outermost first.
type MiddlewareStack = (Trace, Either<CorsLayer, Identity>, Admit);

/// Returns the router of a gateway.
pub fn router(app: App, paywall: Option<Paywall>) -> Router {
    let Groups { public, catalogue, relay, authenticated, reads, on_chain, facilitator } =
        Groups::new();
    let limit = Duration::from_secs(app.config.limits.request_seconds.into());
    let layers = |admit| (Trace::new(&app), option_layer(cors(&app)), admit);
    let stack = |access, within| layers(Admit::new(&app, access).within(within));
    let reading = |access| layers(Admit::new(&app, access).within(limit).counting_reads());
    let public = Router::from(public).layer(stack(Access::Public, limit));
    let public = public.layer(Extension(OptionalPaywall(paywall)));
    let public = public.layer(Extension(Document::new(&openapi())));
    let catalogue = Router::from(catalogue).layer(reading(Access::Public));
    let authenticated = Router::from(authenticated).layer(stack(Access::Authenticated, limit));
    let reads = Router::from(reads).layer(reading(Access::Authenticated));
    let on_chain = Router::from(on_chain).layer(stack(Access::Authenticated, ON_CHAIN));
    let settling = Admit::new(&app, Access::Authenticated).within(ON_CHAIN).counting_reads();
    let facilitator = Router::from(facilitator).layer(layers(settling));
    // Every origin may read actions, so that the API's own rule does not apply.
    let actions = actions::routes(&app);
    let actions = actions.layer((Trace::new(&app), reading(Access::Public).2));
    let catalogue = match app.config.studio {
        true => {
            let pages = studio::pages().layer(stack(Access::Public, limit));
            catalogue.merge(pages).merge(actions)
        }
        false => catalogue,
    };
    let relay = match app.config.studio {
        true => Router::from(relay).layer(reading(Access::Public)),
        false => Router::new(),
    };
    let all =
        public.merge(catalogue).merge(relay).merge(authenticated).merge(reads).merge(on_chain);
    let all = all.merge(facilitator);
    with_fallbacks(all, stack(Access::Public, limit)).with_state(app)
}

/// Returns the router of a paywall in front of a model server.
pub fn paywall_router(app: &App, paywall: Paywall) -> Router {
    let sales = with_storefront(sales_router(paywall.clone()), app, paywall);
    let cors = option_layer(paywall_cors(app));
    // Only the admin listener shows them.
    let recorded = app
        .config
        .admin
        .as_ref()
        .map(|_| from_fn_with_state(app.exchanges.clone(), exchanges::record));
    let sales = match recorded {
        Some(recorded) => sales.layer(recorded),
        None => sales,
    };
    let admit = Admit::new(app, Access::Public);
    let admit = if app.sales.is_some() { admit.counting_reads_if(is_sale) } else { admit };
    sales.layer((Trace::new(app), cors, admit))
}

/// Returns the router of the admin listener.
pub fn admin_router(app: App) -> Router {
    let stack = |access| {
        let admit = Admit::new(&app, access).within(ON_CHAIN);
        (Trace::new(&app), option_layer(None), admit)
    };
    let all = Router::from(admin_group()).layer(stack(Access::Admin));
    let all = all.layer(Extension(Document::new(&admin_openapi())));
    let all = match app.config.studio {
        true => all.merge(studio::operator_page().layer(stack(Access::Public))),
        false => all,
    };
    with_fallbacks(all, stack(Access::Public)).with_state(app)
}

/// Adds problem responses for unknown URLs and methods.
fn with_fallbacks(router: Router<App>, stack: MiddlewareStack) -> Router<App> {
    let not_allowed = (async || GatewayError::MethodNotAllowed).layer(stack.clone());
    let not_found = (async || GatewayError::NotFound).layer(stack);
    router.method_not_allowed_fallback(not_allowed).fallback(not_found)
}

/// Returns the CORS layer for pages of the configured origins, or `None` without any.
fn cors(app: &App) -> Option<CorsLayer> {
    let origins = &app.config.cors_origins;
    if origins.is_empty() {
        return None;
    }
    let headers = [
        header::CONTENT_TYPE,
        header::AUTHORIZATION,
        HeaderName::from_static(IdempotencyKey::HEADER),
        HeaderName::from_static(ReaderProof::HEADER),
        HeaderName::from_static(PersonProof::HEADER),
        HeaderName::from_static(LAST_EVENT_ID),
    ];
    let layer = CorsLayer::new()
        .allow_origin(origins.iter().map(|origin| origin.header()).collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(headers)
        .expose_headers([header::RETRY_AFTER])
        .max_age(PREFLIGHT);
    Some(layer)
}

/// Returns the CORS layer of the paywall, or `None` without any origin. A model server may take any
/// header, except those of a browser's own credentials.
fn paywall_cors(app: &App) -> Option<CorsLayer> {
    let origins = &app.config.cors_origins;
    if origins.is_empty() {
        return None;
    }
    let exposed = EXPOSED.map(HeaderName::from_static);
    let layer = CorsLayer::new()
        .allow_origin(origins.iter().map(|origin| origin.header()).collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(PREFLIGHT);
    Some(layer)
}

/// Returns the OpenAPI document of the public interface.
pub fn openapi() -> OpenApiDocument {
    let Groups { public, catalogue, relay, authenticated, reads, on_chain, facilitator } =
        Groups::new();
    let describe = |document: OpenApiDocument, routes: OpenApiRouter<App>| {
        OpenApiRouter::with_openapi(document).merge(routes).into_openapi()
    };
    let mut document = documents::with_public_problems(describe(
        Api::openapi(),
        public.merge(catalogue).merge(relay),
    ));
    let authenticated =
        describe(Api::openapi(), authenticated.merge(reads).merge(on_chain).merge(facilitator));
    document.merge(documents::with_api_keys(authenticated));
    documents::with_maximums(document)
}

/// Returns the OpenAPI document of the admin interface.
pub fn admin_openapi() -> OpenApiDocument {
    let document = OpenApiRouter::with_openapi(AdminApi::openapi()).merge(admin_group());
    documents::with_maximums(documents::with_api_keys(document.into_openapi()))
}

/// Routes of the public listener.
struct Groups {
    public: OpenApiRouter<App>,
    /// Public routes that read from the cluster.
    catalogue: OpenApiRouter<App>,
    /// Public routes of the studio to the cluster.
    relay: OpenApiRouter<App>,
    authenticated: OpenApiRouter<App>,
    /// Authenticated routes that read from the cluster or aggregate rows of the store.
    reads: OpenApiRouter<App>,
    /// Authenticated routes that wait for a transaction.
    on_chain: OpenApiRouter<App>,
    /// Authenticated routes that read from the cluster and wait for a transaction.
    facilitator: OpenApiRouter<App>,
}

impl Groups {
    fn new() -> Self {
        let public = OpenApiRouter::new()
            .routes(routes!(health::alive))
            .routes(routes!(health::ready))
            .routes(routes!(documents::show))
            .routes(routes!(operator::show))
            .routes(routes!(paywall::show))
            .routes(routes!(x402::supported))
            .routes(routes!(olp::token))
            .routes(routes!(olp::introspect))
            .routes(routes!(discovery::discover))
            .routes(routes!(discovery::robots));
        let catalogue = OpenApiRouter::new()
            .routes(routes!(discovery::rsl))
            .routes(routes!(works::list))
            .routes(routes!(works::show))
            .routes(routes!(works::lineage))
            .routes(routes!(quotes::show))
            .routes(routes!(authentications::authenticate))
            .routes(routes!(hosted_files::show_metadata, hosted_files::put_metadata))
            .routes(routes!(hosted_files::show_preview, hosted_files::put_preview))
            .routes(routes!(hosted_files::badge))
            .routes(routes!(people::earnings))
            .routes(routes!(people::channels))
            .routes(routes!(events::of_person))
            .routes(routes!(webhooks::list, webhooks::add))
            .routes(routes!(webhooks::remove))
            .routes(routes!(webhooks::test))
            .routes(routes!(webhooks::deliveries))
            .routes(routes!(work_record::earnings))
            .routes(routes!(work_record::usage))
            .routes(routes!(work_record::receipts));
        let relay = OpenApiRouter::new()
            .routes(routes!(chain::show))
            .routes(routes!(chain::blockhash))
            .routes(routes!(chain::accounts))
            .routes(routes!(chain::send))
            .routes(routes!(chain::quote_sponsorship))
            .routes(routes!(chain::transaction))
            .routes(routes!(chain::faucet));
        let authenticated = OpenApiRouter::new()
            .routes(routes!(channels::show))
            .routes(routes!(generations::pay))
            .routes(routes!(generations::pay_batch))
            .routes(routes!(holds::hold))
            .routes(routes!(holds::capture))
            .routes(routes!(holds::release));
        let reads = OpenApiRouter::new()
            .routes(routes!(channels::open))
            .routes(routes!(usage::show))
            .routes(routes!(receipts::list))
            .routes(routes!(events::of_channel))
            .routes(routes!(receipts::proof))
            .routes(routes!(holds::receipt))
            .routes(routes!(x402::verify));
        let on_chain = OpenApiRouter::new()
            .routes(routes!(settlements::settle))
            .routes(routes!(settlements::close));
        let facilitator = OpenApiRouter::new().routes(routes!(x402::settle));
        Self { public, catalogue, relay, authenticated, reads, on_chain, facilitator }
    }
}

fn admin_group() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(documents::show_admin))
        .routes(routes!(admin::metrics::show))
        .routes(routes!(admin::keys::list, admin::keys::create))
        .routes(routes!(admin::keys::revoke))
        .routes(routes!(admin::exchanges::list))
        .routes(routes!(admin::channels::list))
        .routes(routes!(admin::channels::settle))
        .routes(routes!(admin::channels::close))
        .routes(routes!(admin::channels::claim_fees))
        .routes(routes!(admin::channels::set_budget))
        .routes(routes!(admin::usage::show))
        .routes(routes!(admin::reconciliation::show))
}
