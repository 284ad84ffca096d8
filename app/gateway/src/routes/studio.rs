//! Pages of the studio.
//!
//! All pages are one document, which reads its path. The gateway fills in the title, the description and
//! the picture that a shared link shows, escaped.

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, WorkFacts},
    terms::Denomination,
};

use super::{discovery::gateway_url, extract::PathParameter, tagged::tagged};
use crate::{
    App,
    error::GatewayError,
    html,
    studio::{Head, index, page},
};

const STUDIO: &str = "/studio";
const OPERATOR: &str = "/studio/operator";
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// What pages may do: own files only, rules as WebAssembly, no foreign frames.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'none'";
const DESCRIPTION: &str = "Register works, license them, and see what they earn, to the unit.";

/// Returns the routes of the studio's pages.
pub fn pages() -> Router<App> {
    Router::new()
        .route("/", get(root))
        .route(STUDIO, get(home))
        .route("/studio/", get(home))
        .route("/studio/{*path}", get(file))
        .route("/w/{work}", get(work))
        .route("/r/{receipt}", get(receipt))
}

/// Returns the routes of the operator's page beside the admin interface, with its files. The other
/// pages need the public API.
pub fn operator_page() -> Router<App> {
    Router::new()
        .route("/", get(operator_root))
        .route(STUDIO, get(operator_root))
        .route("/studio/{*path}", get(operator_file))
}

async fn operator_root(headers: HeaderMap) -> Response {
    redirected(&headers, OPERATOR)
}

async fn operator_file(
    app: State<App>,
    path: PathParameter<String>,
    headers: HeaderMap,
) -> Response {
    match path.0.as_str() {
        "operator" => home(app, headers).await,
        name if page(name).is_some() => file(app, path, headers).await,
        _ => redirected(&headers, OPERATOR),
    }
}

/// Sends browsers to the studio.
async fn root(headers: HeaderMap) -> Response {
    redirected(&headers, STUDIO)
}

fn redirected(headers: &HeaderMap, to: &'static str) -> Response {
    if html::is_preferred(headers) {
        return (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    }
    GatewayError::NotFound.into_response()
}

async fn home(State(app): State<App>, headers: HeaderMap) -> Response {
    document(&app, &headers, STUDIO, "Motif studio".to_owned(), DESCRIPTION.to_owned(), None)
}

/// Shows a file, or the page that is at a path without one.
async fn file(
    State(app): State<App>,
    PathParameter::<String>(path): PathParameter<String>,
    headers: HeaderMap,
) -> Response {
    let Some(file) = page(&path) else {
        let is_page = !path.rsplit('/').next().unwrap_or_default().contains('.');
        if is_page {
            return home(State(app), headers).await;
        }
        return GatewayError::NotFound.into_response();
    };
    let is_brotli = takes_brotli(&headers);
    let (body, encoding) = match file.brotli.filter(|_| is_brotli) {
        Some(brotli) => (brotli, Some(HeaderValue::from_static("br"))),
        None => (file.bytes, None),
    };
    let kind = HeaderValue::from_static(file.kind);
    let mut response = match file.is_hashed {
        true => ([(CONTENT_TYPE, kind)], body).into_response(),
        false => tagged(&headers, kind, body.to_vec()),
    };
    protect(&mut response);
    let kept = if file.is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, encoding);
    }
    response
}

/// Shows the page of a work.
async fn work(
    State(app): State<App>,
    PathParameter(Address(work)): PathParameter<Address>,
    headers: HeaderMap,
) -> Response {
    let path = format!("/w/{work}");
    match app.catalogue.work(work).await {
        Ok(details) => {
            let (title, description) = (title(&details.work), description(&details.work));
            let picture = app.hosting.picture_of(&details.work.metadata_digest).await;
            let url = |digest| format!("{}/v1/previews/{digest}", gateway_url(&app, &headers));
            document(&app, &headers, &path, title, description, picture.map(url))
        }
        Err(error) => {
            let title = format!("Work {}", short(&work));
            let mut response = document(&app, &headers, &path, title, DESCRIPTION.to_owned(), None);
            if error.problem_type() == motif_sdk::gateway::ProblemType::UnknownWork {
                *response.status_mut() = StatusCode::NOT_FOUND;
            }
            response
        }
    }
}

/// Shows the page that verifies a receipt.
async fn receipt(
    State(app): State<App>,
    PathParameter::<String>(receipt): PathParameter<String>,
    headers: HeaderMap,
) -> Response {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if receipt.len() > 128 || !receipt.bytes().all(is_plain) {
        return GatewayError::NotFound.into_response();
    }
    let title = format!("Receipt {}", receipt.get(..8).unwrap_or(&receipt));
    let description = "A receipt of a paid generation, verified against the chain in this page.";
    document(&app, &headers, &format!("/r/{receipt}"), title, description.to_owned(), None)
}

/// Returns the studio's document with this head.
fn document(
    app: &App,
    headers: &HeaderMap,
    path: &str,
    title: String,
    description: String,
    picture: Option<String>,
) -> Response {
    let Some(page) = index() else { return GatewayError::NotFound.into_response() };
    let url = format!("{}{path}", gateway_url(app, headers));
    let head = Head { title, description, url, picture };
    let mut response = tagged(headers, HTML, head.put_into(page).into_bytes());
    protect(&mut response);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        name.trim().eq_ignore_ascii_case("br") && !is_refused
    })
}

pub(super) fn title(work: &WorkFacts) -> String {
    match work.title.as_str() {
        "" => format!("{} {}", work.kind, short(&work.work.0)),
        title => title.to_owned(),
    }
}

/// Describes a work and its prices in a sentence.
pub(super) fn description(work: &WorkFacts) -> String {
    let creator = short(&work.creator.0);
    let kind = work.kind;
    let Some(terms) = &work.terms else {
        return format!("A registered work ({kind}) by {creator}, without terms.");
    };
    let currency = Denomination::from_mint(&terms.currency.0, 0);
    let prices = terms.uses.iter().map(|priced| {
        let amount = match (priced.price.0, &currency.iso_4217) {
            (0, _) => "free".to_owned(),
            (amount, Some(_)) => format!("{} a {}", currency.show(amount), priced.unit),
            (amount, None) => format!("{amount} base units a {}", priced.unit),
        };
        format!("{}: {amount}", priced.licensed_use)
    });
    let prices: Vec<_> = prices.collect();
    format!("A licensed work ({kind}) by {creator}. {}.", prices.join("; "))
}

/// Returns the ends of an address.
fn short(address: &Pubkey) -> String {
    let text = address.to_string();
    let (begin, end) = (text.get(..4).unwrap_or(&text), text.get(text.len().saturating_sub(4)..));
    format!("{begin}…{}", end.unwrap_or_default())
}
