//! Payments without a channel that are late, refused, repeated or made up: no work for nothing, no
//! charge for nothing, and no request of a stranger that costs much.

use std::time::Duration;

use futures::future::join_all;
use motif_gateway::{GatewayConfig, config::Rate};
use motif_sdk::{
    acceptance::SaleAcceptance,
    gateway::{
        paid_request_digest,
        wire::{mpp, sale::Nonce, x402},
    },
};
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::{
    shop::{
        AMOUNT, Shop, assert_no_challenge, challenge, challenge_mpp, challenge_v1, failing,
        picture, receipt, settlement,
    },
    sold::now,
    world::{Answer, Buyer, MINT, Network, on_postgres_too},
};

/// Returns an offer with an end that the client has chosen, and the memo of it.
fn offer_until(shop: &Shop, offered: &x402::Challenge, not_after: i64) -> x402::Challenge {
    let mut chosen = offered.clone();
    let accepted = &mut chosen.accepts[0];
    let offer = accepted.extra.motif.as_mut().unwrap();
    (offer.not_after, offer.nonce) = (not_after, Nonce(7));
    let acceptance = SaleAcceptance {
        cluster: [3; 32],
        till: accepted.pay_to.0,
        subject: offer.work.0.to_bytes(),
        mint: MINT,
        terms_number: 2,
        terms_digest: [4; 32],
        licensed_use: offer.licensed_use,
        units: 1,
        amount: AMOUNT,
        request_digest: paid_request_digest("POST", "/pictures", picture().to_string().as_bytes()),
        operator: shop.sold.world.operator(),
        not_after,
        nonce: 7,
    };
    accepted.extra.memo = Some(acceptance.memo());
    chosen
}

async fn pay_v1(shop: &Shop, path: &str, body: &Value, payment: &x402::PaymentV1) -> Answer {
    let request = shop.request(path, body);
    Answer::to(request.header(x402::PAYMENT_HEADER_V1, x402::to_header(payment))).await
}

async fn pay_mpp(shop: &Shop, path: &str, credential: &mpp::Credential) -> Answer {
    Answer::to(shop.request(path, &picture()).header("authorization", credential.to_header())).await
}

fn other_picture() -> Value {
    json!({ "prompt": "Boston" })
}

#[tokio::test]
async fn short_offer_gets_no_work() {
    let shop = Shop::new().await;
    let offered = shop.offer_of("/pictures", &picture()).await;
    let buyer = Buyer::new(41);
    // An answer takes up to 3 seconds, and its payment up to 90.
    for (blockhash, left) in [(1, 30), (2, 89), (3, 91)] {
        let short = offer_until(&shop, &offered, now() + left);
        let refused = shop.pay("/pictures", &picture(), &buyer.pay(&short, blockhash)).await;
        refused.assert_problem(402, "sale-refused");
        let error = challenge(&refused).error.unwrap();
        assert!(error.contains("memo_mismatch: the offer has ended"), "{error}");
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0));
    let long = offer_until(&shop, &offered, now() + 100);
    shop.pay("/pictures", &picture(), &buyer.pay(&long, 4)).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn v1_offer_before_delivery_is_one_sale() {
    let shop = Shop::new().await;
    let body = picture();
    let offered = challenge_v1(&shop.unpaid("/pictures", &body).await);
    let buyer = Buyer::new(41);
    let [first, second] = [1, 2].map(|blockhash| buyer.pay_v1(&offered, blockhash));
    let bought = pay_v1(&shop, "/pictures", &body, &first).await;
    bought.assert_ok();
    tokio::time::sleep(Duration::from_millis(200)).await; // the delivery is recorded
    let again = pay_v1(&shop, "/pictures", &body, &second).await;
    again.assert_ok();
    assert_eq!((&again.body, receipt(&again)), (&bought.body, receipt(&bought)));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn offer_of_same_second_is_one_sale() {
    let shop = Shop::new().await;
    let (buyer, body) = (Buyer::new(41), picture());
    let first = buyer.pay(&shop.offer_of("/pictures", &body).await, 1);
    let second = buyer.pay(&shop.offer_of("/pictures", &body).await, 2);
    let bought = shop.pay("/pictures", &body, &first).await;
    bought.assert_ok();
    tokio::time::sleep(Duration::from_millis(200)).await; // the delivery is recorded
    let again = shop.pay("/pictures", &body, &second).await;
    assert_eq!((&again.body, receipt(&again)), (&bought.body, receipt(&bought)));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn refused_paid_request_buys_next_one() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    let (first, refused) = shop.buy("/images", &failing("refuse"), &buyer).await;
    assert_eq!((refused.status.as_u16(), &refused.text()[..]), (422, "this prompt is too odd"));
    assert_no_challenge(&refused);
    let paid = settlement(&refused);
    assert!(paid.success);
    assert_eq!(receipt(&refused).transaction.to_string(), paid.transaction);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
    let again = shop.pay("/images", &failing("refuse"), &first).await;
    assert_eq!((again.status.as_u16(), settlement(&again)), (422, paid.clone()));

    // As stock clients do: a new payment for the next prompt. It is not sent.
    let shop = shop.restarted().await;
    shop.offer().await;
    let second = buyer.pay(&shop.offer_of("/images", &picture()).await, 2);
    let answer = shop.pay("/images", &picture(), &second).await;
    answer.assert_ok();
    assert_eq!(settlement(&answer).transaction, paid.transaction);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 3));
    for payment in [&first, &second] {
        let same = shop.pay("/images", &picture(), payment).await;
        assert_eq!((&same.body, receipt(&same)), (&answer.body, receipt(&answer)));
    }
    for body in [failing("refuse"), other_picture()] {
        let spent = shop.pay("/images", &body, &first).await;
        spent.assert_problem(409, "payment-for-another-request");
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 3));
    // The next purchase is charged.
    shop.buy("/images", &other_picture(), &buyer).await.1.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 4));
}

#[tokio::test]
async fn refused_paid_request_is_replaced_once() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    shop.buy("/images", &failing("refuse"), &buyer).await;
    let [one, other] = [failing("slow"), json!({ "prompt": "Boston", "fail": "slow" })];
    let first = buyer.pay(&shop.offer_of("/images", &one).await, 2);
    let second = buyer.pay(&shop.offer_of("/images", &other).await, 3);
    let (first, second) =
        tokio::join!(shop.pay("/images", &one, &first), shop.pay("/images", &other, &second));
    first.assert_ok();
    second.assert_ok();
    assert_ne!(receipt(&first).transaction, receipt(&second).transaction);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 3));
}

#[tokio::test]
async fn refused_payment_moves_on_its_route_only() {
    let shop = Shop::new().await;
    let (first, refused) = shop.buy("/images", &failing("refuse"), &Buyer::new(41)).await;
    assert_eq!(refused.status, 422);
    let conflict = shop.pay("/pictures", &picture(), &first).await;
    conflict.assert_problem(409, "payment-for-another-request");
    // What is on chain: the transaction, without the offer's nonce.
    let mut copied = first.clone();
    copied.accepted.extra.motif.as_mut().unwrap().nonce.0 ^= 1;
    let conflict = shop.pay("/images", &picture(), &copied).await;
    conflict.assert_problem(409, "payment-for-another-request");
    // Another wallet pays for itself.
    shop.buy("/images", &other_picture(), &Buyer::new(42)).await.1.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 2));
    let moved = shop.pay("/images", &picture(), &first).await;
    moved.assert_ok();
    assert_eq!(receipt(&moved).transaction, receipt(&refused).transaction);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 3));
}

#[tokio::test]
async fn refused_v1_payment_is_not_taken_by_copy() {
    let shop = Shop::new().await;
    let body = failing("refuse");
    let offered = challenge_v1(&shop.unpaid("/images", &body).await);
    let buyer = Buyer::new(41);
    let payment = buyer.pay_v1(&offered, 1);
    assert_eq!(pay_v1(&shop, "/images", &body, &payment).await.status, 422);
    // Anybody can read the transaction on chain.
    let copied = pay_v1(&shop, "/images", &picture(), &payment).await;
    copied.assert_problem(409, "payment-for-another-request");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
    // The wallet signs for its next request.
    let offered = challenge_v1(&shop.unpaid("/images", &picture()).await);
    pay_v1(&shop, "/images", &picture(), &buyer.pay_v1(&offered, 2)).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 2));
}

#[tokio::test]
async fn owed_answer_has_receipts() {
    let shop = Shop::new().await;
    let (payment, owed) = shop.buy("/images", &failing("error"), &Buyer::new(41)).await;
    owed.assert_problem(502, "answer-owed");
    assert!(settlement(&owed).success);
    // The request was not refused: the payment stays with it.
    let conflict = shop.pay("/images", &picture(), &payment).await;
    conflict.assert_problem(409, "payment-for-another-request");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn concurrent_bodies_under_one_name_are_one_sale() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    let bodies = ["New York", "Boston"].map(|prompt| json!({ "prompt": prompt, "fail": "slow" }));
    let mut payments = Vec::new();
    for (body, blockhash) in bodies.iter().zip(1..) {
        let mut payment = buyer.pay(&shop.offer_of("/pictures", body).await, blockhash);
        let name = json!({ "info": { "id": "order-0000000001" } });
        payment.extensions = Some([("payment-identifier".to_owned(), name)].into());
        payments.push(payment);
    }
    let both = bodies.iter().zip(&payments);
    let both = both.map(|(body, payment)| shop.pay("/pictures", body, payment));
    let mut both = join_all(both).await;
    both.sort_by_key(|answer| answer.status);
    both[0].assert_ok();
    both[1].assert_problem(409, "payment-for-another-request");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn refused_payment_beside_unknown_one_gets_no_offer() {
    let shop = Shop::new().await;
    let (buyer, body) = (Buyer::new(41), picture());
    let first = buyer.pay(&shop.offer_of("/pictures", &body).await, 1);
    let second = buyer.pay(&shop.offer_of("/pictures", &body).await, 2);
    shop.sold.world.chain.network(Network::Silent);
    shop.pay("/pictures", &body, &first).await.assert_problem(503, "payment-unsettled");
    shop.change_offer(|offer| offer.uses[0].price += 100);
    let refused = shop.pay("/pictures", &body, &second).await;
    refused.assert_problem(503, "payment-unsettled");
    assert_no_challenge(&refused);
    // A payment that another wallet has signed tells nothing about this one's.
    let stranger = Buyer::new(42).pay(&shop.offer_of("/pictures", &body).await, 1);
    let mut changed = stranger;
    changed.accepted.amount.0 += 1;
    shop.pay("/pictures", &body, &changed).await.assert_problem(402, "sale-refused");
    shop.sold.world.chain.network(Network::Up);
    shop.pay("/pictures", &body, &first).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn payments_count_as_reads() {
    // The start of a test reads, too.
    let limits = |config: &mut GatewayConfig| config.limits.reads = Rate::per_hour(60, 8);
    let shop = Shop::closed(|_| (), limits).await;
    let offered = shop.offer().await;
    shop.sold.world.chain.state().are_buyers_broke = true;
    let (mut refused, mut limited) = (0, 0);
    for number in 1..=20 {
        let payment = Buyer::new(number).pay(&offered, 1);
        let answer = shop.pay("/pictures", &picture(), &payment).await;
        if answer.status == 429 {
            answer.assert_problem(429, "rate-limited");
            assert_no_challenge(&answer);
            limited += 1;
        } else {
            answer.assert_problem(402, "sale-refused");
            refused += 1;
        }
    }
    assert!((1..=8).contains(&refused) && refused + limited == 20, "{refused}, {limited}");
    let simulations = shop.sold.world.chain.state().simulations;
    assert_eq!((simulations, shop.payments().len(), shop.sold.server.asked()), (refused, 0, 0));
    // Requests without a payment are not reads.
    shop.offer_of("/pictures", &picture()).await;
}

#[tokio::test]
async fn failing_wallet_waits() {
    let shop = Shop::new().await;
    let offered = shop.offer_of("/pictures", &picture()).await;
    let buyer = Buyer::new(41);
    shop.sold.world.chain.state().are_buyers_broke = true;
    let mut limited = 0;
    for blockhash in 1..=20 {
        let payment = buyer.pay(&offered, blockhash);
        let refused = shop.pay("/pictures", &picture(), &payment).await;
        if refused.status == 429 {
            refused.assert_problem(429, "rate-limited");
            assert_no_challenge(&refused);
            let wait: i64 = refused.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
            assert!((1..=2).contains(&wait), "{wait}");
            limited += 1;
        }
    }
    // Three failures are free; the next ones wait a second, two, four.
    let simulations = shop.sold.world.chain.state().simulations;
    assert!(simulations <= 6 && limited >= 14, "{simulations} simulations, {limited} limited");
    // Other wallets do not wait, and neither does this one after a while.
    shop.sold.world.chain.state().are_buyers_broke = false;
    shop.buy("/pictures", &picture(), &Buyer::new(42)).await.1.assert_ok();
    let mut answer = shop.pay("/pictures", &picture(), &buyer.pay(&offered, 30)).await;
    while answer.status == 429 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        answer = shop.pay("/pictures", &picture(), &buyer.pay(&offered, 30)).await;
    }
    answer.assert_ok();
    assert_eq!(shop.payments().len(), 2);
}

#[tokio::test]
async fn challenge_is_bound_to_its_route() {
    let shop = Shop::new().await;
    let answer = shop.unpaid("/pictures", &picture()).await;
    let buyer = Buyer::new(41);
    let credential = buyer.pay_mpp(&challenge_mpp(&answer), 1);
    let v1 = buyer.pay_v1(&challenge_v1(&answer), 2);
    for path in ["/images", "/pictures?size=l"] {
        let refused = pay_mpp(&shop, path, &credential).await;
        refused.assert_problem(402, "https://paymentauth.org/problems/invalid-challenge");
        let refused = pay_v1(&shop, path, &picture(), &v1).await;
        refused.assert_problem(402, "sale-refused");
        assert!(challenge(&refused).error.unwrap().contains("memo_mismatch"));
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0));
    pay_mpp(&shop, "/pictures", &credential).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn pushed_mpp_payment_is_refused() {
    let shop = Shop::new().await;
    let challenge = challenge_mpp(&shop.unpaid("/pictures", &picture()).await);
    let payload = mpp::CredentialPayload::Signature { signature: "1".repeat(64) };
    let pushed = pay_mpp(&shop, "/pictures", &mpp::Credential { challenge, payload }).await;
    pushed.assert_problem(402, "https://paymentauth.org/problems/malformed-credential");
    challenge_mpp(&pushed);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0));
}

/// Sets the gateway's clock to after the time for which answers are stored.
async fn pass_keep_seconds(shop: &Shop) {
    let world = &shop.sold.world;
    let keep = world.config.paywall.as_ref().unwrap().paywall.keep_seconds;
    world.chain.state().now = now() + i64::from(keep) + 5;
    world.gateway.app().cluster.observe_clock().await;
}

#[tokio::test]
async fn delivered_answer_is_gone_after_keep_time() {
    let shop = Shop::new().await;
    let (payment, first) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    first.assert_ok();
    pass_keep_seconds(&shop).await;
    let gone = shop.pay("/pictures", &picture(), &payment).await;
    gone.assert_problem(410, "answer-gone");
    assert_no_challenge(&gone);
    assert_eq!(receipt(&gone), receipt(&first));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn owed_answer_is_gone_after_keep_time() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    let (payment, owed) = shop.buy("/images", &failing("error"), &buyer).await;
    owed.assert_problem(502, "answer-owed");
    pass_keep_seconds(&shop).await;
    let gone = shop.pay("/images", &failing("error"), &payment).await;
    gone.assert_problem(410, "answer-gone");
    assert_no_challenge(&gone);
    assert_eq!(settlement(&gone).transaction, settlement(&owed).transaction);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn refused_payment_ends_after_keep_time() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    let (payment, refused) = shop.buy("/images", &failing("refuse"), &buyer).await;
    assert_eq!(refused.status, 422);
    pass_keep_seconds(&shop).await;
    let conflict = shop.pay("/images", &picture(), &payment).await;
    conflict.assert_problem(409, "payment-for-another-request");
    shop.buy("/images", &picture(), &buyer).await.1.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 2));
}

on_postgres_too! {
    v1_offer_before_delivery_is_one_sale,
    refused_paid_request_buys_next_one,
    refused_paid_request_is_replaced_once,
    concurrent_bodies_under_one_name_are_one_sale,
}
