use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue,
        header::{ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_LENGTH, WWW_AUTHENTICATE},
    },
    response::Response,
};
use motif_sdk::{
    acceptance::SaleAcceptance,
    gateway::wire::{
        Address, Amount, Digest, Problem, mpp,
        sale::{Nonce, SaleOffer},
        sign_in::SIGN_IN,
        x402::{self, EXACT, PAYMENT_IDENTIFIER, UPFRONT},
    },
};
use rand::Rng;
use serde::Serialize;
use serde_json::json;

use super::{
    challenge::{challenge_id, digest_text},
    desk::{SaleDesk, SaleItem},
    request::Request,
    sign_in,
    validity::{OFFER_SECONDS, not_after_v1},
};

/// Time limit that clients have for a payment, seconds.
const TIMEOUT_SECONDS: u64 = 60;
/// Maximum size of all headers of a 402. Clients refuse more than 16 KiB.
const MAX_HEADER_BYTES: usize = 7 * 1_024;
/// Headers by which responses carry payments, for clients in browsers.
const EXPOSED: &str = "payment-required, payment-response, x-payment-response, payment-receipt, \
    www-authenticate, motif-payment-required, motif-receipt, retry-after";

/// Offers of one answer in all protocols.
#[derive(Clone, Debug)]
pub(crate) struct Offers {
    x402: x402::Challenge,
    v1: Option<x402::ChallengeV1>,
    mpp: Option<mpp::Challenge>,
}

/// Body of a 402: a problem document with the fields of version 1 of x402.
#[derive(Serialize)]
struct Body402<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    #[serde(flatten)]
    v1: &'a Option<x402::ChallengeV1>,
}

impl Offers {
    /// Makes the offers of an item for a request. `error` is why payment is required. The hint of a
    /// blockhash is left out if the cluster is unreachable.
    pub async fn make(
        desk: &dyn SaleDesk,
        item: &SaleItem,
        request: &Request,
        error: &str,
        now: i64,
    ) -> Self {
        let config = desk.config();
        let blockhash = desk.blockhash().await.ok();
        let nonce = rand::rng().random_range(1..=u64::MAX);
        let acceptance = item.acceptance(request.digest, now + OFFER_SECONDS, nonce);
        let url = format!("{}{}", config.public_url, request.target);
        let description = format!("One answer of work {}", request.route.work);
        let flow = request.is_upfront().then(|| UPFRONT.to_owned());
        let extra = |acceptance: &SaleAcceptance| x402::Extra {
            fee_payer: Some(Address(item.fee_payer)),
            memo: Some(acceptance.memo()),
            recent_blockhash: blockhash.as_ref().map(|(hash, _)| hash.clone()),
            last_valid_block_height: blockhash.as_ref().map(|(_, height)| height.to_string()),
            payment_flow: flow.clone(),
            motif: Some(offer(item, acceptance)),
        };
        let requirements = x402::Requirements {
            scheme: EXACT.to_owned(),
            network: config.network.caip2().to_owned(),
            amount: Amount(item.amount),
            asset: Address(item.mint),
            pay_to: Address(acceptance.till),
            max_timeout_seconds: TIMEOUT_SECONDS,
            extra: extra(&acceptance),
        };
        let v1 = config.x402_v1.then(|| {
            let acceptance = item.acceptance(request.digest, not_after_v1(now), 0);
            x402::ChallengeV1 {
                x402_version: 1,
                error: error.to_owned(),
                accepts: vec![x402::RequirementsV1 {
                    scheme: EXACT.to_owned(),
                    network: config.network.v1().to_owned(),
                    max_amount_required: Amount(item.amount),
                    resource: url.clone(),
                    description: description.clone(),
                    mime_type: String::new(),
                    pay_to: Address(acceptance.till),
                    max_timeout_seconds: TIMEOUT_SECONDS,
                    asset: Address(item.mint),
                    extra: extra(&acceptance),
                }],
            }
        });
        let is_mpp = config.mpp && request.accepts_charge;
        let mpp = is_mpp.then(|| {
            let hash = blockhash.as_ref().map(|(hash, _)| hash.clone());
            charge(desk, item, &acceptance, (request, &description, hash), now)
        });
        let extensions = BTreeMap::from([
            (PAYMENT_IDENTIFIER.to_owned(), payment_identifier()),
            (SIGN_IN.to_owned(), sign_in::challenge(desk, &url, now)),
        ]);
        let resource = x402::Resource { url, description: Some(description), mime_type: None };
        let x402 = x402::Challenge {
            x402_version: 2,
            error: Some(error.to_owned()),
            resource,
            accepts: vec![requirements],
            extensions,
        };
        Self { x402, v1, mpp }
    }

    /// Adds the offers to a 402 with this problem document.
    pub fn apply(mut self, response: Response, problem: &Problem) -> Response {
        let mut header = x402::to_header(&self.x402);
        let challenge = self.mpp.as_ref().map(mpp::Challenge::to_header);
        let rest: usize = response.headers().values().map(HeaderValue::len).sum();
        let rest = rest + challenge.as_ref().map_or(0, String::len);
        if header.len() + rest > MAX_HEADER_BYTES {
            self.x402.extensions.clear();
            header = x402::to_header(&self.x402);
        }
        let body = Body402 { problem, v1: &self.v1 };
        let body = serde_json::to_vec(&body).unwrap_or_default(); // texts and numbers
        let (mut parts, _) = response.into_parts();
        let headers = &mut parts.headers;
        headers.remove(CONTENT_LENGTH);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        if let Ok(value) = HeaderValue::try_from(header) {
            headers.insert(HeaderName::from_static(x402::REQUIRED_HEADER), value);
        }
        if let Some(value) = challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.append(WWW_AUTHENTICATE, value);
        }
        Response::from_parts(parts, Body::from(body))
    }
}

/// Returns what an acceptance buys, as clients receive it.
fn offer(item: &SaleItem, acceptance: &SaleAcceptance) -> SaleOffer {
    let shares = &item.shares;
    let sole = shares.works.first();
    SaleOffer {
        work: Address(sole.map_or_else(Default::default, |share| share.work)),
        parts: sole.map_or(0, |share| share.parts),
        operator: (shares.operator_parts > 0).then_some(Address(shares.operator)),
        operator_parts: shares.operator_parts,
        terms: acceptance.terms_number,
        digest: Digest(acceptance.terms_digest),
        licensed_use: acceptance.licensed_use,
        units: acceptance.units,
        not_after: acceptance.not_after,
        nonce: Nonce(acceptance.nonce),
    }
}

/// Creates MPP's challenge.
fn charge(
    desk: &dyn SaleDesk,
    item: &SaleItem,
    acceptance: &SaleAcceptance,
    (request, description, blockhash): (&Request, &str, Option<String>),
    now: i64,
) -> mpp::Challenge {
    let config = desk.config();
    let charge = mpp::ChargeRequest {
        amount: Amount(item.amount),
        currency: Address(item.mint),
        external_id: acceptance.memo(),
        method_details: mpp::MethodDetails {
            decimals: item.decimals,
            fee_payer: true,
            fee_payer_key: Address(item.fee_payer),
            network: config.network.mpp().to_owned(),
            recent_blockhash: blockhash,
            token_program: Address(item.token_program),
        },
        recipient: Address(acceptance.till),
    };
    let opaque =
        mpp::Opaque { n: Nonce(acceptance.nonce).to_string(), t: acceptance.not_after.to_string() };
    let challenge = mpp::Challenge {
        id: String::new(),
        realm: config.realm().to_owned(),
        method: mpp::METHOD.to_owned(),
        intent: mpp::CHARGE.to_owned(),
        request: mpp::encode(&charge),
        expires: Some(mpp::timestamp(now.saturating_add_unsigned(TIMEOUT_SECONDS))),
        digest: Some(digest_text(&request.body_digest)),
        opaque: Some(mpp::encode(&opaque)),
        description: Some(description.to_owned()),
    };
    mpp::Challenge { id: challenge_id(desk, &challenge), ..challenge }
}

/// Returns the extension of x402 by which a client names a payment.
fn payment_identifier() -> serde_json::Value {
    json!({
        "info": { "required": false },
        "schema": {
            "type": "object",
            "properties": {
                "id": { "type": "string", "pattern": "^[A-Za-z0-9_-]{16,128}$" },
            },
        },
    })
}
