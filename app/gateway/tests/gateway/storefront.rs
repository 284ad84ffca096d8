//! What a paywall says about its routes, on its own listener.

use motif_sdk::Pubkey;
use reqwest::header::LINK;
use serde_json::Value;

use crate::{
    shop::{Shop, challenge, picture},
    sold::{Sold, WORK},
    world::Answer,
};

const USDC: Pubkey = Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v");

/// Starts a paywall whose work costs 101 base units of USDC.
async fn priced() -> Sold {
    let sold = Sold::new().await;
    sold.publish();
    for ((work, _), terms) in &mut sold.world.chain.state().terms {
        if *work == WORK {
            terms.currency = USDC;
            terms.offer.upfront_fee = 0;
        }
    }
    sold
}

async fn get(sold: &Sold, path: &str) -> Answer {
    Answer::to(reqwest::Client::new().get(sold.url(path))).await
}

#[tokio::test]
async fn paid_routes_are_described() {
    let sold = priced().await;
    let described = get(&sold, "/openapi.json").await;
    let document: Value = serde_json::from_slice(&described.body).unwrap();
    assert_eq!(document["servers"][0]["url"], sold.url(""));
    let mut paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/images", "/pictures", "/stories", "/texts"]);
    let offer = |path: &str| document["paths"][path]["post"]["x-payment-info"]["offers"][0].clone();
    // Only the route of fixed units has a price in advance.
    assert_eq!(offer("/pictures")["amount"], "101", "{document}");
    assert_eq!(offer("/images")["amount"], Value::Null);
    assert_eq!(offer("/pictures")["currency"], USDC.to_string());
}

#[tokio::test]
async fn unpaid_request_names_license_and_price() {
    let sold = priced().await;
    let post = async |path: &str| {
        let asked = reqwest::Client::new().post(sold.url(path)).body("{}");
        asked.send().await.unwrap()
    };
    let unpaid = post("/pictures").await;
    assert_eq!(unpaid.status(), 402);
    let license = format!("<{}>; rel=\"license\"", sold.url("/rsl.xml"));
    assert!(unpaid.headers()[LINK].to_str().unwrap().starts_with(&license));
    assert_eq!(unpaid.headers()["crawler-price"], "USD 0.000101");
    let unpaid = post("/images").await;
    assert!(unpaid.headers().contains_key(LINK));
    assert!(!unpaid.headers().contains_key("crawler-price"), "units are not fixed");
    let free = reqwest::get(sold.url("/health")).await.unwrap();
    assert!(free.status().is_success() && !free.headers().contains_key(LINK));
}

#[tokio::test]
async fn crawler_price_is_that_of_a_sale() {
    // The operator's fee of a sale is 2 %, and that of a channel 0.
    let shop = Shop::unpublished(|_| (), |_| ()).await;
    shop.sold.world.chain.state().are_tills_refused = true;
    shop.publish();
    for ((work, _), terms) in &mut shop.sold.world.chain.state().terms {
        if *work == WORK {
            terms.currency = USDC;
        }
    }
    let vouchers = shop.unpaid("/pictures", &picture()).await;
    assert_eq!(vouchers.headers["crawler-price"], "USD 0.000101");
    shop.sold.world.chain.state().are_tills_refused = false;
    shop.offer().await;
    let offered = shop.unpaid("/pictures", &picture()).await;
    assert_eq!(challenge(&offered).accepts[0].amount.0, 104);
    assert_eq!(offered.headers["crawler-price"], "USD 0.000104");
}

#[tokio::test]
async fn terms_are_listed_by_route() {
    let sold = priced().await;
    let robots = get(&sold, "/robots.txt").await.text();
    assert!(robots.starts_with(&format!("License: {}\n", sold.url("/rsl.xml"))), "{robots}");
    let rsl = get(&sold, "/rsl.xml").await;
    assert_eq!(rsl.kind, "application/rsl+xml");
    let text = rsl.text();
    assert!(text.contains(&format!("<content url=\"{}\">", sold.url("/pictures"))), "{text}");
    assert!(text.contains("<amount currency=\"USD\">0.000101</amount>"), "{text}");
    assert_eq!(text.matches("<content ").count(), 4);
}
