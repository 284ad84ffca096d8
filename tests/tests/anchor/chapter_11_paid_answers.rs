//! Answers of a gateway's paywall, paid by plain transfers as stock x402 and MPP clients make them.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::post};
use motif_gateway::{GatewayConfig, PaywallListener, config::SalesConfig, serve};
use motif_paywall::{PaidRoutes, PaywallConfig, SaleNetwork};
use motif_sdk::{
    Pubkey,
    client::{Sale, sale_amount},
    gateway::wire::{mpp, sale::SaleReceipt, x402},
    pda,
    till::{TillShare, TillShares},
};
use motif_testkit::world::Buyer;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use solana_signer::Signer;

use super::tour::{PRICE, Tour};

const FEE_BPS: u16 = 200;

fn routes(work: &Pubkey, upstream: &str) -> PaidRoutes {
    let text = format!(
        "upstream = \"{upstream}\"\n[[route]]\nmethod = \"POST\"\npath = \"/pictures\"\n\
         work = \"{work}\"\nuse = \"generate\"\nunits = {{ fixed = 1 }}\nanswer_seconds = 10"
    );
    PaidRoutes::read(&text, "paywall.toml").unwrap()
}

/// Requests a picture until it is offered without a channel.
async fn offer(url: &str, prompt: &'static str) -> Response {
    for _ in 0..120 {
        let answer = request(url, prompt).send().await.unwrap();
        assert_eq!(answer.status(), 402);
        if answer.headers().contains_key(x402::REQUIRED_HEADER) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("no till was opened");
}

fn request(url: &str, prompt: &'static str) -> RequestBuilder {
    reqwest::Client::new().post(url).body(prompt)
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers()[name].to_str().unwrap()
}

/// Returns the offer of x402, and the blockhash that it hints at.
fn challenge(answer: &Response) -> (x402::Challenge, [u8; 32]) {
    let text = header(answer, x402::REQUIRED_HEADER);
    let raw: Value = x402::from_header(text).unwrap();
    let hash = raw["accepts"][0]["extra"]["recentBlockhash"].as_str().unwrap();
    let hash = bs58::decode(hash).into_vec().unwrap().try_into().unwrap();
    (x402::from_header(text).unwrap(), hash)
}

#[tokio::test]
async fn stock_payments_buy_answers() {
    let tour = Tour::join().await;
    let (creator, operator) = (tour.person().await, tour.operator().await);
    let work = tour.offered(&creator, |_| ()).await;
    let works = vec![TillShare { work, parts: 10_000 }];
    let shares = TillShares::new(works, Some((operator.pubkey(), FEE_BPS.into())));
    let amount = sale_amount(&shares, shares.works[0].parts, PRICE, 1).unwrap();
    let wallet = tour.platform(3 * amount).await;
    let buyer = Buyer::from_secret(wallet.secret_bytes());

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", listener.local_addr().unwrap());
    let server = Router::new()
        .route("/pictures", post(async |prompt: String| format!("a picture of {prompt}")));
    tokio::spawn(async move { axum::serve(listener, server).await });
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(operator.insecure_clone());
    let mut config = GatewayConfig::new(&tour.url, key, folder.path().join("gateway.sqlite"));
    let paywall = PaywallConfig::new(routes(&work, &upstream), folder.path().join("answers"));
    let listen = "127.0.0.1:0".parse().unwrap();
    config.paywall = Some(PaywallListener { listen, paywall });
    let mut sales = SalesConfig::new("https://gw.example");
    (sales.paywall.network, sales.fee_bps) = (SaleNetwork::Localnet, Some(FEE_BPS));
    sales.paywall.least_price = PRICE;
    config.sales = Some(sales);
    let gateway = serve(config).await.unwrap();
    let url = format!("{}/pictures", gateway.paywall_url().unwrap());

    let (offered, hash) = challenge(&offer(&url, "Rome").await);
    let payment = x402::to_header(&buyer.clone().under(hash).pay(&offered, 0));
    let rome = request(&url, "Rome").header(x402::PAYMENT_HEADER, payment).send().await.unwrap();

    let answer = offer(&url, "Oslo").await;
    let (_, hash) = challenge(&answer);
    let offered: x402::ChallengeV1 = answer.json().await.unwrap();
    let payment = x402::to_header(&buyer.clone().under(hash).pay_v1(&offered, 0));
    let oslo = request(&url, "Oslo").header(x402::PAYMENT_HEADER_V1, payment).send().await.unwrap();

    let answer = offer(&url, "Lima").await;
    let (_, hash) = challenge(&answer);
    let fields = header(&answer, mpp::CHALLENGE_HEADER).strip_prefix("Payment ").unwrap();
    let fields = fields.split("\", ").map(|field| field.trim_end_matches('"').split_once("=\""));
    let fields: serde_json::Map<_, _> = fields
        .map(|field| field.map(|(name, value)| (name.to_owned(), value.into())).unwrap())
        .collect();
    let offered: mpp::Challenge = serde_json::from_value(fields.into()).unwrap();
    let credential = buyer.under(hash).pay_mpp(&offered, 0).to_header();
    let lima = request(&url, "Lima").header("authorization", credential).send().await.unwrap();

    for (answer, expected) in
        [(rome, "a picture of Rome"), (oslo, "a picture of Oslo"), (lima, "a picture of Lima")]
    {
        let receipt = answer.headers().get(SaleReceipt::HEADER);
        let receipt = receipt.and_then(|text| SaleReceipt::from_header(text.to_str().ok()?).ok());
        assert_eq!(answer.text().await.unwrap(), expected);
        let receipt = receipt.unwrap();
        assert!(receipt.verifies(&operator.pubkey()));
        let sale = Sale {
            shares: receipt.shares(),
            terms_numbers: receipt.works.iter().map(|sold| sold.terms).collect(),
            acceptance: receipt.acceptance,
            signature: receipt.transaction.0.into(),
        };
        let verified = tour.client.verify_sale(&sale).await.unwrap();
        assert_eq!((verified.buyer, verified.paid), (wallet.pubkey(), amount));
    }
    let till = pda::till(&shares, &tour.currency.mint);
    assert_eq!(tour.client.token_balance(&till, &tour.currency).await.unwrap(), 3 * amount);
    assert_eq!(tour.balance(&wallet).await, 0);

    tour.client.sweep_till(&creator, &shares, &tour.currency).await.unwrap();
    let claim = tour.client.claim(&work, &creator.pubkey(), &tour.currency);
    let claimed = claim.send(&creator).await.unwrap().0;
    assert!(claimed >= 3 * PRICE, "{claimed}");
    let fee = tour.balance(&operator).await;
    let waiting = tour.client.token_balance(&till, &tour.currency).await.unwrap();
    assert_eq!(claimed + fee + waiting, 3 * amount);
    gateway.shutdown().await;
}
