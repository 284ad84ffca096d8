use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue,
        header::{ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_LENGTH, WWW_AUTHENTICATE},
    },
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    gateway::wire::{
        Address, Amount, Digest, mpp,
        sale::{Nonce, SaleOffer},
        sign_in::{self, SIGN_IN},
        x402::{self, EXACT, PAYMENT_IDENTIFIER, UPFRONT},
    },
};
use rand::Rng;
use serde::Serialize;
use serde_json::json;

use super::{
    challenge::{digest_text, id_text},
    desk::{SaleDesk, SaleItem},
    request::Request,
    template::Template,
    validity::{OFFER_SECONDS, PAY_SECONDS, not_after_v1},
};
use crate::route::{PaidRoute, route_key};

/// Maximum size of the values of a 402's headers. Names, and what other layers add, have the rest of 8 KiB.
/// Clients refuse more than 16 KiB.
const MAX_HEADER_BYTES: usize = 7 * 1_024;
/// Headers by which responses carry payments, for clients in browsers.
const EXPOSED: &str = "payment-required, payment-response, x-payment-response, payment-receipt, \
    www-authenticate, motif-payment-required, motif-receipt, retry-after";

/// Offers of a route in all protocols, for the requests of one second: what they have in common is
/// written once.
#[derive(Debug)]
pub(crate) struct Offers {
    facts: OfferFacts,
    /// JSON of version 2 of x402.
    challenge: Template<PLACES>,
    /// The same without extensions, for requests whose URL leaves them no room.
    short_challenge: Template<PLACES>,
    /// JSON of version 1 of x402.
    challenge_v1: Option<Template<PLACES>>,
    charge: Option<Charge>,
}

/// What offers are made of, besides the route and the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfferFacts {
    /// What is sold.
    pub item: SaleItem,
    /// Recent blockhash with its last valid height; `None` if the cluster is unreachable.
    pub blockhash: Option<(String, u64)>,
    /// Unix seconds.
    pub now: i64,
}

/// Price of a request without a channel, among the extensions of its 402.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SalePrice {
    /// Mint.
    pub mint: Pubkey,
    /// Base units, with the operator's fee.
    pub amount: u64,
}

/// Offers by route, at most one each.
#[derive(Debug, Default)]
pub(crate) struct PreparedOffers(Mutex<HashMap<usize, Arc<Offers>>>);

/// MPP's challenge.
#[derive(Debug)]
struct Charge {
    /// JSON of the charge. Its place is the memo.
    request: Template<1>,
    /// What the identifier authenticates. Its places are the encoded charge, the digest of the body and
    /// the data of the server.
    bound: Template<3>,
    /// The header. Its places are the identifier and those of `bound`.
    header: Template<4>,
}

/// Number of the places of an offer.
const PLACES: usize = 6;

/// Texts of one offer, as JSON has them.
struct Details {
    /// Path and query of the request, with a slash at the beginning of a mark.
    target: String,
    /// Why payment is required.
    error: String,
    /// Memo of the payment.
    memo: String,
    /// The same in version 1 of x402.
    memo_v1: String,
    nonce: u64,
    /// Nonce of a sign-in.
    sign_in_nonce: String,
}

impl Details {
    /// Creates the texts of a request's offer.
    fn new(desk: &dyn SaleDesk, facts: &OfferFacts, request: &Request, error: &str) -> Self {
        let (item, nonce) = (&facts.item, rand::rng().random_range(1..=u64::MAX));
        let acceptance = |not_after, nonce| item.acceptance(request.digest, not_after, nonce);
        let config = desk.config();
        let memo_v1 = config.x402_v1.then(|| acceptance(not_after_v1(facts.now), 0).memo());
        Self {
            target: in_json(&request.target),
            error: in_json(error),
            memo: acceptance(facts.now + OFFER_SECONDS, nonce).memo(),
            memo_v1: memo_v1.unwrap_or_default(),
            nonce,
            sign_in_nonce: random_digits(),
        }
    }

    /// Creates the marks of a template. They are random, so that no other text has them.
    fn marks() -> Self {
        Self {
            target: format!("/{}", random_digits()),
            error: random_digits(),
            memo: random_digits(),
            memo_v1: random_digits(),
            nonce: rand::rng().random(),
            sign_in_nonce: random_digits(),
        }
    }

    /// Returns the texts in the order of a template's places. `nonce` is that of these details.
    fn places<'a>(&'a self, nonce: &'a str) -> [&'a str; PLACES] {
        let Self { target, error, memo, memo_v1, sign_in_nonce, .. } = self;
        [target, error, memo, memo_v1, nonce, sign_in_nonce]
    }
}

impl PreparedOffers {
    /// Returns the offers of a route. They are prepared if the route has none of these facts.
    pub fn of(
        &self,
        desk: &dyn SaleDesk,
        route: &Arc<PaidRoute>,
        facts: OfferFacts,
    ) -> Arc<Offers> {
        let key = route_key(route);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(offers) = lock().get(&key).filter(|offers| offers.facts == facts) {
            return offers.clone();
        }
        let offers = Arc::new(Offers::new(desk, route, facts));
        lock().insert(key, offers.clone());
        offers
    }
}

impl Offers {
    fn new(desk: &dyn SaleDesk, route: &PaidRoute, facts: OfferFacts) -> Self {
        let marks = Details::marks();
        let nonce = Nonce(marks.nonce).to_string();
        let places = marks.places(&nonce);
        let config = desk.config();
        let challenge = challenge(desk, route, &facts, &marks);
        let short = x402::Challenge { extensions: BTreeMap::new(), ..challenge.clone() };
        let challenge_v1 = config.x402_v1.then(|| challenge_v1(desk, route, &facts, &marks));
        Self {
            challenge: Template::new(&json_text(&challenge), places),
            short_challenge: Template::new(&json_text(&short), places),
            challenge_v1: challenge_v1.map(|v1| Template::new(&json_text(&v1), places)),
            charge: config.mpp.then(|| Charge::new(desk, route, &facts)),
            facts,
        }
    }

    /// Adds the offers to the 402 of a request, whose body is the JSON of a problem document. `error` is
    /// why payment is required.
    pub fn apply(
        &self,
        desk: &dyn SaleDesk,
        (request, error): (&Request, &str),
        response: Response,
        problem: &[u8],
    ) -> Response {
        let details = Details::new(desk, &self.facts, request, error);
        let nonce = Nonce(details.nonce).to_string();
        let places = details.places(&nonce);
        let charge = self.charge.as_ref().filter(|_| request.accepts_charge);
        let not_after = self.facts.now + OFFER_SECONDS;
        let charge = charge.map(|charge| {
            charge.header(desk, &request.body_digest, &details.memo, (&nonce, not_after))
        });
        let rest: usize = response.headers().values().map(HeaderValue::len).sum();
        let room = MAX_HEADER_BYTES.saturating_sub(rest + EXPOSED.len());
        let (header, charge) = self.fitting(places, charge, room);
        let body = match &self.challenge_v1 {
            Some(challenge) => one_object(problem, challenge.fill(places).as_bytes()),
            None => problem.to_vec(),
        };
        let (mut parts, _) = response.into_parts();
        let headers = &mut parts.headers;
        headers.remove(CONTENT_LENGTH);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        if let Some(value) = header.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(HeaderName::from_static(x402::REQUIRED_HEADER), value);
        }
        if let Some(value) = charge.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.append(WWW_AUTHENTICATE, value);
        }
        let SaleItem { mint, amount, .. } = &self.facts.item;
        parts.extensions.insert(SalePrice { mint: *mint, amount: *amount });
        Response::from_parts(parts, Body::from(body))
    }

    /// Returns the headers of x402 and of MPP that fit into `room` bytes. A long URL leaves out the
    /// extensions of x402, then MPP, then x402, whose version 1 remains in the body.
    fn fitting(
        &self,
        places: [&str; PLACES],
        charge: Option<String>,
        room: usize,
    ) -> (Option<String>, Option<String>) {
        let charge_bytes = charge.as_ref().map_or(0, String::len);
        let header = BASE64_STANDARD.encode(self.challenge.fill(places));
        if header.len() + charge_bytes <= room {
            return (Some(header), charge);
        }
        let header = BASE64_STANDARD.encode(self.short_challenge.fill(places));
        if header.len() + charge_bytes <= room {
            (Some(header), charge)
        } else if header.len() <= room {
            (Some(header), None)
        } else {
            (None, charge.filter(|_| charge_bytes <= room))
        }
    }
}

impl Charge {
    fn new(desk: &dyn SaleDesk, route: &PaidRoute, facts: &OfferFacts) -> Self {
        let OfferFacts { item, blockhash, now } = facts;
        let config = desk.config();
        let [memo, id, request, digest, opaque] = std::array::from_fn(|_| random_digits());
        let charge = mpp::ChargeRequest {
            amount: Amount(item.amount),
            currency: Address(item.mint),
            external_id: memo.clone(),
            method_details: mpp::MethodDetails {
                decimals: item.decimals,
                fee_payer: true,
                fee_payer_key: Address(item.fee_payer),
                network: config.network.mpp().to_owned(),
                recent_blockhash: blockhash.as_ref().map(|(hash, _)| hash.clone()),
                token_program: Address(item.token_program),
            },
            recipient: Address(item.till),
        };
        let challenge = mpp::Challenge {
            id: id.clone(),
            realm: config.realm().to_owned(),
            method: mpp::METHOD.to_owned(),
            intent: mpp::CHARGE.to_owned(),
            request: request.clone(),
            expires: Some(mpp::timestamp(now + PAY_SECONDS)),
            digest: Some(digest.clone()),
            opaque: Some(opaque.clone()),
            description: Some(description(route)),
        };
        Self {
            request: Template::new(&json_text(&charge), [&memo]),
            bound: Template::new(&challenge.bound(), [&request, &digest, &opaque]),
            header: Template::new(&challenge.to_header(), [&id, &request, &digest, &opaque]),
        }
    }

    /// Returns the header of a request with this digest of its body.
    fn header(
        &self,
        desk: &dyn SaleDesk,
        body_digest: &[u8; 32],
        memo: &str,
        (nonce, not_after): (&str, i64),
    ) -> String {
        let request = BASE64_URL_SAFE_NO_PAD.encode(self.request.fill([memo]));
        let digest = digest_text(body_digest);
        let opaque = mpp::Opaque { n: nonce.to_owned(), t: not_after.to_string() };
        let opaque = mpp::encode(&opaque);
        let id = id_text(desk, &self.bound.fill([&request, &digest, &opaque]));
        self.header.fill([&id, &request, &digest, &opaque])
    }
}

/// Creates the offer in version 2 of x402.
fn challenge(
    desk: &dyn SaleDesk,
    route: &PaidRoute,
    facts: &OfferFacts,
    details: &Details,
) -> x402::Challenge {
    let (item, config) = (&facts.item, desk.config());
    let (url, network) =
        (format!("{}{}", config.public_url, details.target), config.network.caip2());
    let acceptance = item.acceptance([0; 32], facts.now + OFFER_SECONDS, details.nonce);
    let issued_at = mpp::timestamp(facts.now);
    let sign_in = sign_in::challenge(&url, network, &details.sign_in_nonce, &issued_at);
    x402::Challenge {
        x402_version: 2,
        error: Some(details.error.clone()),
        resource: x402::Resource { url, description: Some(description(route)), mime_type: None },
        accepts: vec![x402::Requirements {
            scheme: EXACT.to_owned(),
            network: network.to_owned(),
            amount: Amount(item.amount),
            asset: Address(item.mint),
            pay_to: Address(item.till),
            max_timeout_seconds: PAY_SECONDS.unsigned_abs(),
            extra: extra(route, facts, &acceptance, &details.memo),
        }],
        extensions: BTreeMap::from([
            (PAYMENT_IDENTIFIER.to_owned(), payment_identifier()),
            (SIGN_IN.to_owned(), sign_in),
        ]),
    }
}

/// Creates the offer in version 1 of x402.
fn challenge_v1(
    desk: &dyn SaleDesk,
    route: &PaidRoute,
    facts: &OfferFacts,
    details: &Details,
) -> x402::ChallengeV1 {
    let (item, config) = (&facts.item, desk.config());
    let acceptance = item.acceptance([0; 32], not_after_v1(facts.now), 0);
    x402::ChallengeV1 {
        x402_version: 1,
        error: details.error.clone(),
        accepts: vec![x402::RequirementsV1 {
            scheme: EXACT.to_owned(),
            network: config.network.v1().to_owned(),
            max_amount_required: Amount(item.amount),
            resource: format!("{}{}", config.public_url, details.target),
            description: description(route),
            mime_type: String::new(),
            pay_to: Address(item.till),
            max_timeout_seconds: PAY_SECONDS.unsigned_abs(),
            asset: Address(item.mint),
            extra: extra(route, facts, &acceptance, &details.memo_v1),
        }],
    }
}

/// Returns the details of a payment whose memo commits to an acceptance.
fn extra(
    route: &PaidRoute,
    facts: &OfferFacts,
    acceptance: &SaleAcceptance,
    memo: &str,
) -> x402::Extra {
    let blockhash = facts.blockhash.as_ref();
    x402::Extra {
        fee_payer: Some(Address(facts.item.fee_payer)),
        memo: Some(memo.to_owned()),
        recent_blockhash: blockhash.map(|(hash, _)| hash.clone()),
        last_valid_block_height: blockhash.map(|(_, height)| height.to_string()),
        payment_flow: route.is_upfront().then(|| UPFRONT.to_owned()),
        motif: Some(offer(&facts.item, acceptance)),
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

fn description(route: &PaidRoute) -> String {
    format!("One answer of work {}", route.work)
}

/// Returns 32 random hexadecimal digits.
fn random_digits() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// Returns structures of texts and numbers, which are always written, as JSON.
fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Returns a text as it is between the quotes of JSON.
fn in_json(text: &str) -> String {
    let quoted = json_text(&text);
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// Returns the object with the fields of two objects in JSON, of which neither is empty.
fn one_object(first: &[u8], second: &[u8]) -> Vec<u8> {
    let (first, second) = (first.strip_suffix(b"}").unwrap_or_default(), second.get(1..));
    [first, b",", second.unwrap_or_default()].concat()
}
