//! Solana Actions: links by which a wallet licenses a work or claims its earnings, without any page of ours.
//!
//! Format: the specification of Solana Actions and Blinks, version 2.4.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::{
    Pubkey,
    channel::Use,
    gateway::wire::{Address, WorkFacts},
};
use serde::{Deserialize, Serialize};
use tower_http::cors::{Any, CorsLayer};

use super::{
    discovery::gateway_url,
    extract::{JsonBody, PathParameter, QueryString},
    studio,
};
use crate::{
    App,
    actions::{WantedLicense, claim, license},
    error::GatewayError,
};

/// Version of the specification.
const VERSION: HeaderValue = HeaderValue::from_static("2.4");
/// Name of Solana's chains in CAIP-2, before the first 32 characters of the genesis hash.
const CHAIN_PREFIX: &str = "solana:";
const CHAIN_CHARACTERS: usize = 32;
/// Deposits that a wallet offers, beside any other amount.
const DEPOSITS: [&str; 2] = ["1", "10"];
/// Maximum number of uses with buttons.
const MAX_USES: usize = 3;

/// What a wallet shows of a link.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(rename = "type")]
    kind: &'static str,
    icon: String,
    title: String,
    description: String,
    label: &'static str,
    disabled: bool,
    links: Links,
}

#[derive(Debug, Serialize)]
struct Links {
    actions: Vec<LinkedAction>,
}

#[derive(Debug, Serialize)]
struct LinkedAction {
    #[serde(rename = "type")]
    kind: &'static str,
    label: String,
    href: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
}

#[derive(Debug, Serialize)]
struct Parameter {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    label: &'static str,
    required: bool,
}

/// Request for a transaction.
#[derive(Debug, Deserialize)]
struct Signer {
    account: Address,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenseQuery {
    #[serde(rename = "use")]
    licensed_use: Use,
    deposit: String,
    voucher_key: Option<Address>,
}

/// Transaction to sign.
#[derive(Debug, Serialize)]
struct Offered {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Wire format, standard base64.
    transaction: String,
    message: String,
}

/// Error of an action.
#[derive(Debug, Serialize)]
struct Failed {
    message: String,
}

/// Returns the routes of actions. Pages and wallets of every origin may read them.
pub fn routes(app: &App) -> Router<App> {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers(Any)
        .expose_headers(["x-action-version", "x-blockchain-ids"].map(HeaderName::from_static));
    Router::new()
        .route("/actions.json", get(rules).options(preflight))
        .route("/v1/actions/works/{work}", get(show).options(preflight))
        .route("/v1/actions/works/{work}/license", get(show).post(offer_license).options(preflight))
        .route("/v1/actions/works/{work}/claim", get(show).post(offer_claim).options(preflight))
        .layer(from_fn_with_state(app.clone(), with_headers))
        .layer(cors)
}

/// Answers preflights: the CORS layer adds the headers. The router's answer to other methods is outside it.
async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Maps links of works to their actions.
async fn rules() -> Response {
    let rules = r#"{"rules":[{"pathPattern":"/w/*","apiPath":"/v1/actions/works/*"},{"pathPattern":"/v1/actions/**","apiPath":"/v1/actions/**"}]}"#;
    ([(CONTENT_TYPE, "application/json")], rules).into_response()
}

async fn show(
    State(app): State<App>,
    work: Result<PathParameter<Address>, GatewayError>,
    headers: HeaderMap,
) -> Result<Response, ActionError> {
    let PathParameter(Address(work)) = work?;
    let details = app.catalogue.work(work).await?;
    let url = gateway_url(&app, &headers);
    let picture = app.hosting.picture_of(&details.work.metadata_digest).await;
    let icon = match picture {
        Some(digest) => format!("{url}/v1/previews/{digest}"),
        None => format!("{url}/v1/badge/{work}.svg"),
    };
    let actions = actions(&url, &work, &details.work);
    let shown = Shown {
        kind: "action",
        icon,
        title: studio::title(&details.work),
        description: studio::description(&details.work),
        label: "License",
        disabled: false,
        links: Links { actions },
    };
    Ok(Json(shown).into_response())
}

/// Returns the buttons of a work.
fn actions(url: &str, work: &Pubkey, facts: &WorkFacts) -> Vec<LinkedAction> {
    let base = format!("{url}/v1/actions/works/{work}");
    let mut actions = Vec::new();
    let terms = facts.terms.iter().filter(|terms| !terms.approval_required);
    for priced in terms.flat_map(|terms| &terms.uses).take(MAX_USES) {
        let named = priced.licensed_use;
        let href = |deposit: &str| format!("{base}/license?use={named}&deposit={deposit}");
        let button = |label: String, href: String, parameters: Vec<Parameter>| LinkedAction {
            kind: "transaction",
            label,
            href,
            parameters,
        };
        for deposit in DEPOSITS {
            actions.push(button(
                format!("License to {named}, deposit {deposit}"),
                href(deposit),
                Vec::new(),
            ));
        }
        let parameter = |kind, name, label, required| Parameter { kind, name, label, required };
        let href = format!("{}&voucher_key={{voucher_key}}", href("{deposit}"));
        let parameters = vec![
            parameter("number", "deposit", "Deposit", true),
            parameter("text", "voucher_key", "Voucher key, to open a channel", true),
        ];
        actions.push(button(format!("Open a channel to {named}"), href, parameters));
    }
    actions.push(LinkedAction {
        kind: "transaction",
        label: "Claim my earnings".to_owned(),
        href: format!("{base}/claim"),
        parameters: Vec::new(),
    });
    actions
}

async fn offer_license(
    State(app): State<App>,
    work: Result<PathParameter<Address>, GatewayError>,
    query: Result<QueryString<LicenseQuery>, GatewayError>,
    headers: HeaderMap,
    signer: Result<JsonBody<Signer>, GatewayError>,
) -> Result<Response, ActionError> {
    let (PathParameter(Address(work)), JsonBody(signer)) = (work?, signer?);
    let QueryString(LicenseQuery { licensed_use, deposit, voucher_key }) = query?;
    let voucher_key = voucher_key.map(|key| key.0);
    let wanted = WantedLicense { work, licensed_use, deposit: &deposit, voucher_key };
    let transaction = license(&app, &signer.account.0, wanted).await?;
    let url = gateway_url(&app, &headers);
    let message =
        format!("Pays the deposit into your channel and licenses the work: {url}/studio/platform");
    Ok(offered(&transaction, message))
}

async fn offer_claim(
    State(app): State<App>,
    work: Result<PathParameter<Address>, GatewayError>,
    signer: Result<JsonBody<Signer>, GatewayError>,
) -> Result<Response, ActionError> {
    let (PathParameter(Address(work)), JsonBody(signer)) = (work?, signer?);
    let transaction = claim(&app, &signer.account.0, &work).await?;
    Ok(offered(&transaction, "Pays your share of the work's earnings to you".to_owned()))
}

fn offered(transaction: &[u8], message: String) -> Response {
    let transaction = BASE64_STANDARD.encode(transaction);
    Json(Offered { kind: "transaction", transaction, message }).into_response()
}

/// Adds the headers by which wallets know version and chain.
async fn with_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-action-version"), VERSION);
    let tag = app.cluster.tag().await.map(|tag| Pubkey::new_from_array(tag).to_string());
    let chain = tag.ok().and_then(|tag| {
        let name = tag.get(..CHAIN_CHARACTERS)?;
        HeaderValue::from_str(&format!("{CHAIN_PREFIX}{name}")).ok()
    });
    if let Some(chain) = chain {
        headers.insert(HeaderName::from_static("x-blockchain-ids"), chain);
    }
    response
}

/// Error of an action, as wallets read it.
struct ActionError(GatewayError);

impl From<GatewayError> for ActionError {
    fn from(error: GatewayError) -> Self {
        Self(error)
    }
}

impl IntoResponse for ActionError {
    fn into_response(self) -> Response {
        let message = self.0.to_string();
        let status = self.0.into_response().status();
        (status, Json(Failed { message })).into_response()
    }
}
