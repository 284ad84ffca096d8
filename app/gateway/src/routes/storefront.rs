//! Documents of a paywall for crawlers and agents, on the paywall's listener.
//!
//! | path | content |
//! |---|---|
//! | `/openapi.json` | OpenAPI 3.1 with `x-payment-info` on each paid operation |
//! | `/.well-known/x402`, `/discovery/resources` | routes that x402 pays, as URLs and with their payments |
//! | `/rsl.xml` | terms of each route's work, as Really Simple Licensing 1.0 |
//! | `/robots.txt` | a `License:` line with the URL of the terms; all crawlers are allowed |
//!
//! A path that the operator's routes file has is the model server's. Responses with status 402 name the
//! terms (`Link: rel="license"`) and, for fixed units in a currency with an ISO 4217 code, the price
//! (`crawler-price`): that of a sale without a channel if there is one, otherwise that of channels.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::LINK},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{MethodRouter, get},
};
use motif_paywall::{Paywall, SalePrice};
use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, Amount, PaidRoute, PriceTag, mpp, x402},
    terms::Denomination,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    discovery::{RSL, base_url},
    extract::QueryString,
    payment_page::payment_page,
    tagged::tagged,
};
use crate::{App, catalogue::Catalogue, error::GatewayError, html};

/// Maximum number of items of `/discovery/resources`.
const MAX_RESOURCES: usize = 100;
/// Price in the form of crawlers: an ISO 4217 code and a decimal amount.
const CRAWLER_PRICE: &str = "crawler-price";

/// Page of `/discovery/resources`; other parameters are ignored.
#[derive(Deserialize)]
struct Page {
    limit: Option<usize>,
    offset: Option<usize>,
}

/// Paywall and what is known about the works that it sells.
#[derive(Clone)]
struct Storefront {
    paywall: Paywall,
    catalogue: Arc<Catalogue>,
    listen: SocketAddr,
}

/// Adds the paywall's documents to the router that sells, and their URLs to its 402 responses.
pub fn with_storefront(sales: Router, app: &App, paywall: Paywall) -> Router {
    let listen = app.config.paywall.as_ref().map_or(app.config.listen, |paywall| paywall.listen);
    let storefront =
        Storefront { paywall: paywall.clone(), catalogue: app.catalogue.clone(), listen };
    let documents: [(&str, MethodRouter<Storefront>); 5] = [
        ("/openapi.json", get(openapi)),
        ("/.well-known/x402", get(x402_urls)),
        ("/discovery/resources", get(x402_resources)),
        ("/rsl.xml", get(rsl)),
        ("/robots.txt", get(robots)),
    ];
    let mut router = Router::new();
    for (path, document) in documents {
        if !paywall.routes().has_path(path) {
            router = router.route(path, document);
        }
    }
    let sales = sales.layer(from_fn_with_state(storefront.clone(), name_license));
    router.with_state(storefront).fallback_service(sales)
}

impl Storefront {
    /// Returns the paywall's base URL: the one that sales are configured with, or that of the request.
    fn base_url(&self, headers: &HeaderMap) -> String {
        let public_url = self.paywall.desk().map(|desk| desk.config().public_url.as_str());
        base_url(public_url, &self.listen, headers)
    }

    /// Returns the routes that are sold without a channel, with the payment that buys one answer.
    async fn sold(&self) -> Vec<SoldRoute> {
        let Some(desk) = self.paywall.desk() else { return Vec::new() };
        let sold = self.paywall.sold().await.into_iter();
        let config = desk.config();
        sold.map(|(route, item)| SoldRoute {
            method: route.method.to_string(),
            path: route.path.clone(),
            is_mpp: config.mpp,
            payment: x402::Requirements {
                scheme: x402::EXACT.to_owned(),
                network: config.network.caip2().to_owned(),
                amount: Amount(item.amount),
                asset: Address(item.mint),
                pay_to: Address(item.till),
                max_timeout_seconds: 60,
                extra: x402::Extra {
                    fee_payer: Some(Address(item.fee_payer)),
                    ..x402::Extra::default()
                },
            },
        })
        .collect()
    }
}

/// Route that is sold without a channel.
struct SoldRoute {
    method: String,
    path: String,
    is_mpp: bool,
    payment: x402::Requirements,
}

impl SoldRoute {
    fn is(&self, route: &PaidRoute) -> bool {
        self.method == route.method && self.path == route.path
    }

    /// Returns the offers of `x-payment-info`: of x402, and of MPP.
    fn offers(&self) -> Vec<Value> {
        let x402::Requirements { network, amount, asset, pay_to, .. } = &self.payment;
        let offer = |method: &str, intent: &str| {
            json!({
                "method": method,
                "intent": intent,
                "amount": amount,
                "currency": asset,
                "recipient": pay_to,
                "network": network,
            })
        };
        let mpp = self.is_mpp.then(|| offer(mpp::METHOD, mpp::CHARGE));
        [offer("x402", x402::EXACT)].into_iter().chain(mpp).collect()
    }
}

/// Describes the paid routes.
async fn openapi(State(storefront): State<Storefront>, headers: HeaderMap) -> Json<Value> {
    let routes = storefront.paywall.facts().await.routes;
    Json(document(&routes, &storefront.sold().await, &storefront.base_url(&headers)))
}

/// Lists the URLs that x402 pays.
async fn x402_urls(State(storefront): State<Storefront>, headers: HeaderMap) -> Json<Value> {
    let base = storefront.base_url(&headers);
    let sold = storefront.sold().await;
    let urls: Vec<_> = sold.iter().map(|route| format!("{base}{}", route.path)).collect();
    Json(json!({ "version": 1, "resources": urls }))
}

/// Lists what x402 pays, with the payments, in the form of a facilitator's discovery.
async fn x402_resources(
    State(storefront): State<Storefront>,
    headers: HeaderMap,
    QueryString(page): QueryString<Page>,
) -> Json<Value> {
    let base = storefront.base_url(&headers);
    let sold = storefront.sold().await;
    let (limit, offset) = (page.limit.unwrap_or(MAX_RESOURCES), page.offset.unwrap_or(0));
    let limit = limit.min(MAX_RESOURCES);
    let shown = sold.iter().skip(offset).take(limit);
    let items = shown.map(|route| {
        json!({
            "resource": format!("{base}{}", route.path),
            "type": "http",
            "x402Version": 2,
            "accepts": [route.payment],
            "lastUpdated": mpp::timestamp(storefront.paywall.engine().now()),
            "serviceName": "Motif",
            "method": route.method,
        })
    });
    let items: Vec<_> = items.collect();
    let pagination = json!({ "limit": limit, "offset": offset, "total": sold.len() });
    Json(json!({ "x402Version": 2, "items": items, "pagination": pagination }))
}

/// Lists the terms of each route's work.
async fn rsl(
    State(storefront): State<Storefront>,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    let base = storefront.base_url(&headers);
    let sold = storefront.paywall.routes().paid().iter();
    let sold: Vec<_> = sold.map(|route| (route.work.0, format!("{base}{}", route.path))).collect();
    let xml = storefront.catalogue.rsl_of(&sold).await?;
    Ok(tagged(&headers, RSL, xml.into_bytes()))
}

/// Allows all crawlers and names the URL of the terms.
async fn robots(State(storefront): State<Storefront>, headers: HeaderMap) -> String {
    let base = storefront.base_url(&headers);
    format!("License: {base}/rsl.xml\n\nUser-agent: *\nAllow: /\n")
}

/// Adds the URL of the terms, and the price, to a response with status 402.
async fn name_license(
    State(storefront): State<Storefront>,
    request: Request,
    next: Next,
) -> Response {
    let base = storefront.base_url(request.headers());
    let is_page = html::is_preferred(request.headers());
    let path = is_page.then(|| request.uri().path().to_owned());
    let mut response = next.run(request).await;
    if response.status() == StatusCode::PAYMENT_REQUIRED {
        if let Some(path) = path {
            response =
                payment_page(&storefront.catalogue, response, &format!("{base}{path}")).await;
        }
        let price = response.extensions().get::<SalePrice>().copied();
        let price = price.map(|price| (price.mint, price.amount)).or_else(|| {
            let tag = response.extensions().get::<PriceTag>()?;
            Some((tag.quote.currency.0, fixed_price(tag)?))
        });
        let price = price.and_then(|(mint, amount)| crawler_price(&mint, amount));
        let license = format!("<{base}/rsl.xml>; rel=\"license\"; type=\"application/rsl+xml\"");
        let headers = response.headers_mut();
        if let Ok(license) = HeaderValue::try_from(license) {
            headers.append(LINK, license);
        }
        if let Some(price) = price.and_then(|price| HeaderValue::try_from(price).ok()) {
            headers.insert(CRAWLER_PRICE, price);
        }
    }
    response
}

/// Returns the price of a request with its currency, such as `USD 0.0122`.
fn crawler_price(mint: &Pubkey, amount: u64) -> Option<String> {
    let currency = Denomination::known(mint)?;
    let code = currency.iso_4217?;
    Some(format!("{code} {}", currency.decimal(amount)))
}

/// Returns the price of a request with the operator's fee, base units, if its units are fixed.
fn fixed_price(tag: &PriceTag) -> Option<u64> {
    tag.quote.price_with_fee.0.checked_mul(u64::from(tag.fixed_units?))
}

/// Returns the OpenAPI document of paid routes, of which some are sold without a channel too.
fn document(routes: &[PaidRoute], sold: &[SoldRoute], base_url: &str) -> Value {
    let mut paths = Map::new();
    for route in routes {
        // OpenAPI has no wildcard for several segments.
        let path = route.path.replace("{*", "{");
        let operations = paths.entry(path.clone()).or_insert_with(|| json!({}));
        let sold = sold.iter().find(|sold| sold.is(route));
        operations[route.method.to_lowercase()] = operation(route, sold, &path);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Motif paywall",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Generations under creators' licenses. Each paid request names its price \
                with status 402; x-payment-info is for information.",
        },
        "servers": [{ "url": base_url }],
        "x-service-info": {
            "categories": ["ai", "media"],
            "docs": { "apiReference": format!("{base_url}/openapi.json") },
        },
        "paths": paths,
    })
}

fn operation(route: &PaidRoute, sold: Option<&SoldRoute>, path: &str) -> Value {
    let (method, tag) = (&route.method, &route.price_tag);
    let quote = &tag.quote;
    let parameters = path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({
            "name": name, "in": "path", "required": true, "schema": { "type": "string" },
        }))
    });
    let parameters: Vec<_> = parameters.collect();
    let voucher = json!({
        "method": "motif",
        "intent": "voucher",
        "amount": fixed_price(tag).map(|amount| amount.to_string()),
        "currency": quote.currency,
        "description": format!("{} base units a {}, fee included", quote.price_with_fee, quote.unit),
        "work": quote.work,
        "use": quote.licensed_use,
        "terms": quote.terms_number,
        "operator": tag.operator,
    });
    let offers: Vec<_> =
        [voucher].into_iter().chain(sold.map(SoldRoute::offers).unwrap_or_default()).collect();
    let mut operation = json!({
        "operationId": format!("{method} {}", route.path),
        "summary": format!("One answer with work {}, use {}", quote.work, quote.licensed_use),
        "x-payment-info": { "offers": offers },
        "parameters": parameters,
        "responses": {
            "200": { "description": "Paid answer, with its receipt in `motif-receipt`" },
            "402": { "description": "Payment required" },
        },
    });
    if ["POST", "PUT", "PATCH"].contains(&method.as_str()) {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": { "type": "object" } } },
        });
    }
    operation
}

#[cfg(test)]
mod tests {
    use motif_sdk::{
        Pubkey,
        gateway::wire::{Digest, Quote, Unit, Use},
    };

    use super::*;

    fn route(path: &str, fixed_units: Option<u32>, currency: Pubkey) -> PaidRoute {
        let quote = Quote {
            work: Address(Pubkey::new_from_array([1; 32])),
            licensed_use: Use::Generate,
            unit: Unit::Generation,
            price: Amount(12_000),
            operator_fee_bps: 100,
            price_with_fee: Amount(12_122),
            currency: Address(currency),
            terms_number: 3,
            terms_digest: Digest([2; 32]),
            upfront_fee: Amount(0),
            free_units: 0,
        };
        let price_tag = PriceTag {
            operator: Address(Pubkey::new_from_array([3; 32])),
            cluster: Digest([4; 32]),
            quote,
            fixed_units,
            most_units: 4,
            streams: false,
            hold_seconds: 180,
        };
        PaidRoute { method: "POST".to_owned(), path: path.to_owned(), price_tag }
    }

    const USDC: Pubkey = Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v");

    #[test]
    fn fixed_price_in_dollars_is_stated() {
        let amount = |fixed_units| fixed_price(&route("/a", fixed_units, USDC).price_tag);
        assert_eq!(
            (amount(Some(1)), amount(Some(2)), amount(None)),
            (Some(12_122), Some(24_244), None)
        );
        assert_eq!(crawler_price(&USDC, 12_122).as_deref(), Some("USD 0.012122"));
        assert_eq!(crawler_price(&Pubkey::new_from_array([9; 32]), 12_122), None);
    }

    #[test]
    fn paid_operation_has_payment_info() {
        let routes = [route("/images", Some(2), USDC), route("/models/{*name}", None, USDC)];
        let document = document(&routes, &[], "https://gw.example");
        let images = &document["paths"]["/images"]["post"];
        let offer = &images["x-payment-info"]["offers"][0];
        assert_eq!((&offer["amount"], &offer["method"]), (&"24244".into(), &"motif".into()));
        assert_eq!(offer["currency"], USDC.to_string());
        assert!(images["responses"]["402"].is_object() && images["requestBody"].is_object());
        let models = &document["paths"]["/models/{name}"]["post"];
        assert_eq!(models["x-payment-info"]["offers"][0]["amount"], Value::Null);
        assert_eq!(models["parameters"][0]["name"], "name");
    }
}
