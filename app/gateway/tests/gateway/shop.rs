use std::{path::Path, time::Duration};

use motif_gateway::{GatewayConfig, config::SalesConfig};
use motif_paywall::{PaidRoutes, PaywallConfig, SaleNetwork};
use motif_sdk::{
    Pubkey,
    channel::Currency,
    gateway::wire::{
        mpp,
        sale::SaleReceipt,
        x402::{self, Settlement},
    },
    pda,
    till::{TillShare, TillShares},
};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{
    sold::Sold,
    world::{Answer, Buyer, MINT, Payment},
};

/// Public URL of the paywall.
pub const PUBLIC_URL: &str = "https://gw.example";
/// Amount of one answer, base units: 101 and a fee of 2 %.
pub const AMOUNT: u64 = 104;
const WORK: Pubkey = Pubkey::new_from_array([7; 32]);

/// Paywall whose answers are sold without a channel, on a scripted chain.
pub struct Shop {
    pub sold: Sold,
}

fn routes(upstream: &str) -> String {
    let route = |path: &str, more: &str| {
        format!(
            "[[route]]\nmethod = \"POST\"\npath = \"{path}\"\nwork = \"{WORK}\"\n\
             use = \"generate\"\nmost_answer_bytes = 200000\nmost_request_bytes = 1000\n{more}\n"
        )
    };
    [
        format!("upstream = \"{upstream}\""),
        route("/pictures", "units = { fixed = 1 }\nanswer_seconds = 3"),
        // Answers that take long are paid first.
        route("/images", "units = { fixed = 1 }\nanswer_seconds = 60"),
        route("/texts", "units = { json = \"/usage/tokens\" }\nmost_units = 3\nanswer_seconds = 3"),
        route("/stories", "units = { count = \"lines\" }\nper = 10\nstream = true"),
    ]
    .join("\n")
}

impl Shop {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// As [`Shop::new`], with changed sales.
    pub async fn with(configure: impl FnOnce(&mut SalesConfig)) -> Self {
        let shop = Self::closed(configure, |_| ()).await;
        shop.offer().await;
        shop
    }

    /// Opens a shop without waiting for its offers.
    pub async fn closed(
        configure: impl FnOnce(&mut SalesConfig),
        configure_gateway: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        let shop = Self::unpublished(configure, configure_gateway).await;
        shop.publish();
        shop
    }

    /// Opens a shop whose work has no terms yet.
    pub async fn unpublished(
        configure: impl FnOnce(&mut SalesConfig),
        configure_gateway: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        let paywall = |paywall: &mut PaywallConfig| {
            let upstream = paywall.routes.upstream().unwrap().as_str().to_owned();
            paywall.routes = PaidRoutes::read(&routes(&upstream), "paywall.toml").unwrap();
        };
        let gateway = |config: &mut GatewayConfig| {
            let mut sales = SalesConfig::new(PUBLIC_URL);
            sales.paywall.network = SaleNetwork::Localnet;
            sales.paywall.settle_seconds = 2;
            sales.paywall.least_price = 0;
            sales.fee_bps = Some(200);
            configure(&mut sales);
            config.sales = Some(sales);
            configure_gateway(config);
        };
        let sold = Sold::configured(motif_sdk::channel::License::UNLIMITED, paywall, gateway).await;
        Self { sold }
    }

    /// Publishes terms that are sold without a channel.
    pub fn publish(&self) {
        self.sold.publish();
        self.change_offer(|offer| (offer.upfront_fee, offer.free_units) = (0, 0));
    }

    /// Changes the terms of the work.
    pub fn change_offer(&self, change: impl FnOnce(&mut motif_sdk::licensing::Offer)) {
        let mut state = self.sold.world.chain.state();
        let number = state.works[&WORK].latest_terms;
        change(&mut state.terms.get_mut(&(WORK, number)).unwrap().offer);
    }

    /// Changes the work.
    pub fn change_work(&self, change: impl FnOnce(&mut motif_sdk::licensing::Work)) {
        change(self.sold.world.chain.state().works.get_mut(&WORK).unwrap());
    }

    /// Kills and restarts the gateway.
    pub async fn restarted(self) -> Self {
        Self { sold: self.sold.restarted().await }
    }

    /// Shares of the work's till.
    pub fn shares(&self) -> TillShares {
        let works = vec![TillShare { work: WORK, parts: 10_000 }];
        TillShares::new(works, Some((self.sold.world.operator(), 200)))
    }

    /// Token account of the work's till.
    pub fn tokens(&self) -> Pubkey {
        Currency::spl(MINT).tokens(&pda::till(&self.shares(), &MINT))
    }

    /// Payments to tills that have landed.
    pub fn payments(&self) -> Vec<Payment> {
        self.sold.world.chain.state().payments.clone()
    }

    /// Returns a request to a route.
    pub fn request(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = reqwest::Client::new().post(self.sold.url(path));
        request.header("content-type", "application/json").body(body.to_string())
    }

    /// Sends a request without a payment.
    pub async fn unpaid(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(path, body)).await
    }

    /// Waits for the offer of a picture, and returns it.
    pub async fn offer(&self) -> x402::Challenge {
        let body = picture();
        for _ in 0..200 {
            let answer = self.unpaid("/pictures", &body).await;
            answer.assert_problem(402, "payment-required");
            if answer.headers.contains_key(x402::REQUIRED_HEADER) {
                return challenge(&answer);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("no till was opened");
    }

    /// Returns an offer of a request.
    pub async fn offer_of(&self, path: &str, body: &Value) -> x402::Challenge {
        let answer = self.unpaid(path, body).await;
        challenge(&answer)
    }

    /// Sends a payment of x402, version 2.
    pub async fn pay(&self, path: &str, body: &Value, payment: &x402::Payment) -> Answer {
        let request = self.request(path, body);
        let header = x402::to_header(payment);
        Answer::to(request.header(x402::PAYMENT_HEADER, header)).await
    }

    /// Buys an answer: requests the offer and pays it.
    pub async fn buy(&self, path: &str, body: &Value, buyer: &Buyer) -> (x402::Payment, Answer) {
        let payment = buyer.pay(&self.offer_of(path, body).await, 1);
        let answer = self.pay(path, body, &payment).await;
        (payment, answer)
    }
}

/// Body of a request for a picture.
pub fn picture() -> Value {
    json!({ "prompt": "New York" })
}

/// Body of a request for a picture that takes a failure.
pub fn failing(how: &str) -> Value {
    json!({ "prompt": "New York", "fail": how })
}

/// Returns the offer of a 402.
#[track_caller]
pub fn challenge(answer: &Answer) -> x402::Challenge {
    assert_eq!(answer.status, StatusCode::PAYMENT_REQUIRED, "{}", answer.text());
    x402::from_header(header(answer, x402::REQUIRED_HEADER)).unwrap()
}

/// Returns the offer of a 402 in version 1 of x402.
#[track_caller]
pub fn challenge_v1(answer: &Answer) -> x402::ChallengeV1 {
    serde_json::from_slice(&answer.body).unwrap()
}

/// Returns the challenge of MPP in a 402.
#[track_caller]
pub fn challenge_mpp(answer: &Answer) -> mpp::Challenge {
    let text = header(answer, mpp::CHALLENGE_HEADER).strip_prefix("Payment ").unwrap();
    let fields = text.split("\", ").map(|field| field.trim_end_matches('"').split_once("=\""));
    let fields: serde_json::Map<_, _> = fields
        .map(|field| field.map(|(name, value)| (name.to_owned(), value.into())).unwrap())
        .collect();
    serde_json::from_value(fields.into()).unwrap()
}

/// Returns a header as text.
#[track_caller]
pub fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let found = answer.headers.get(name);
    found.unwrap_or_else(|| panic!("no {name}: {}", answer.text())).to_str().unwrap()
}

/// Returns the outcome of a payment of x402.
#[track_caller]
pub fn settlement(answer: &Answer) -> Settlement {
    x402::from_header(header(answer, x402::RESPONSE_HEADER)).unwrap()
}

/// Returns Motif's receipt of a sale.
#[track_caller]
pub fn receipt(answer: &Answer) -> SaleReceipt {
    SaleReceipt::from_header(header(answer, SaleReceipt::HEADER)).unwrap()
}

/// Asserts that an answer asks for no payment in any protocol.
#[track_caller]
pub fn assert_no_challenge(answer: &Answer) {
    assert_ne!(answer.status, StatusCode::PAYMENT_REQUIRED, "{}", answer.text());
    for name in [x402::REQUIRED_HEADER, mpp::CHALLENGE_HEADER, "motif-payment-required"] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
    assert!(!answer.text().contains("x402Version"), "{}", answer.text());
}

/// Restarts a gateway whose folder of answers is empty.
pub async fn without_answers(shop: Shop) -> Shop {
    let shop = shop.restarted().await;
    let spool = shop.sold.world.config.paywall.clone().unwrap().paywall.spool;
    delete_answers(&spool);
    shop.restarted().await
}

fn delete_answers(spool: &Path) {
    for entry in std::fs::read_dir(spool).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "answer") {
            std::fs::remove_file(path).unwrap();
        }
    }
}
