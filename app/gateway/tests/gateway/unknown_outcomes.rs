//! Payments without a channel whose outcome is unknown, in all protocols: no offer, and one charge.

use motif_sdk::gateway::wire::x402;
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::{
    shop::{Shop, assert_no_challenge, challenge, challenge_mpp, challenge_v1, picture, receipt},
    world::{Answer, Buyer, Network, on_postgres_too},
};

/// Protocol of a payment.
#[derive(Clone, Copy, Debug)]
enum Dialect {
    X402,
    X402V1,
    Mpp,
}

impl Dialect {
    const ALL: [Self; 3] = [Self::X402, Self::X402V1, Self::Mpp];

    /// Returns the header of a payment for a request.
    async fn pay(self, shop: &Shop, path: &str, blockhash: u8) -> (&'static str, String) {
        let (buyer, offered) = (Buyer::new(41), shop.unpaid(path, &picture()).await);
        match self {
            Self::X402 => {
                let payment = buyer.pay(&challenge(&offered), blockhash);
                (x402::PAYMENT_HEADER, x402::to_header(&payment))
            }
            Self::X402V1 => {
                let payment = buyer.pay_v1(&challenge_v1(&offered), blockhash);
                (x402::PAYMENT_HEADER_V1, x402::to_header(&payment))
            }
            Self::Mpp => {
                let credential = buyer.pay_mpp(&challenge_mpp(&offered), blockhash);
                ("authorization", credential.to_header())
            }
        }
    }
}

/// Returns a request with a payment.
fn paid(shop: &Shop, path: &str, (name, value): &(&str, String)) -> RequestBuilder {
    let body: Value = picture();
    shop.request(path, &body).header(*name, value)
}

#[track_caller]
fn assert_unsettled(answer: &Answer) {
    answer.assert_problem(503, "payment-unsettled");
    assert_eq!(answer.headers["retry-after"], "1");
    assert_no_challenge(answer);
}

#[tokio::test]
async fn no_protocol_offers_again() {
    for dialect in Dialect::ALL {
        for path in ["/pictures", "/images"] {
            for network in [Network::Silent, Network::Deaf] {
                let shop = Shop::with(|sales| sales.paywall.settle_seconds = 1).await;
                let first = dialect.pay(&shop, path, 1).await;
                shop.sold.world.chain.network(network);
                assert_unsettled(&Answer::to(paid(&shop, path, &first)).await);
                // A client that pays anew meanwhile is not charged again.
                let second = dialect.pay(&shop, path, 2).await;
                assert_unsettled(&Answer::to(paid(&shop, path, &second)).await);
                shop.sold.world.chain.network(Network::Up);
                let answer = Answer::to(paid(&shop, path, &first)).await;
                answer.assert_ok();
                let again = Answer::to(paid(&shop, path, &first)).await;
                assert_eq!((&again.body, receipt(&again)), (&answer.body, receipt(&answer)));
                let count = (shop.payments().len(), shop.sold.server.asked());
                assert_eq!(count, (1, 1), "{dialect:?} {path} {network:?}");
            }
        }
    }
}

/// Waits until the network has a payment.
async fn wait_for_payment(shop: &Shop) {
    for _ in 0..400 {
        if shop.payments().len() == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nothing was paid");
}

#[tokio::test]
async fn shutdown_is_no_offer() {
    for dialect in Dialect::ALL {
        for path in ["/pictures", "/images"] {
            let shop = Shop::with(|sales| sales.paywall.settle_seconds = 30).await;
            let payment = dialect.pay(&shop, path, 1).await;
            shop.sold.world.chain.network(Network::Silent);
            let paying = tokio::spawn(Answer::to(paid(&shop, path, &payment)));
            wait_for_payment(&shop).await;
            let chain = shop.sold.world.chain.clone();
            shop.sold.world.gateway.shutdown().await;
            assert_unsettled(&paying.await.unwrap());
            assert_eq!(chain.state().payments.len(), 1, "{dialect:?} {path}");
        }
    }
}

on_postgres_too! {
    no_protocol_offers_again,
}
