//! Outcomes of payments without a channel: never charged without the answer, never answered without
//! the money, never charged twice.

use std::time::Duration;

use futures::future::join_all;
use motif_sdk::{fingerprint::content_digest, gateway::wire::x402};
use serde_json::{Value, json};

use crate::{
    shop::{
        AMOUNT, Shop, assert_no_challenge, challenge, challenge_v1, failing, picture, receipt,
        settlement, without_answers,
    },
    world::{Answer, Buyer, Network, on_postgres_too},
};

#[tokio::test]
async fn refused_request_is_not_charged() {
    let shop = Shop::new().await;
    let (_, answer) = shop.buy("/pictures", &failing("refuse"), &Buyer::new(41)).await;
    assert_eq!((answer.status.as_u16(), &answer.text()[..]), (422, "this prompt is too odd"));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 1));
}

#[tokio::test]
async fn long_target_is_answered_after_payment() {
    let shop = Shop::new().await;
    let path = format!("/pictures?seed={}", "7".repeat(2_900));
    let (payment, answer) = shop.buy(&path, &picture(), &Buyer::new(41)).await;
    answer.assert_ok();
    // The signature of x402 over the URL is left out; Motif's receipt has the digest of the request.
    assert!(settlement(&answer).extensions.is_empty());
    assert_eq!(receipt(&answer).output_digest.0, content_digest(&answer.body));
    assert_eq!(shop.pay(&path, &picture(), &payment).await.body, answer.body);
    assert_eq!(shop.payments().len(), 1);
}

#[tokio::test]
async fn failed_answer_is_not_charged() {
    let shop = Shop::new().await;
    for (how, status, slug) in [
        ("error", 502, "upstream-failed"),
        ("midway", 502, "upstream-failed"),
        ("endless", 502, "answer-too-large"),
    ] {
        let (_, answer) = shop.buy("/pictures", &failing(how), &Buyer::new(41)).await;
        answer.assert_problem(status, slug);
        assert_no_challenge(&answer);
    }
    assert_eq!(shop.payments().len(), 0);
}

#[tokio::test]
async fn payment_outlives_failed_answer() {
    let shop = Shop::new().await;
    let (payment, late) = shop.buy("/pictures", &failing("held"), &Buyer::new(41)).await;
    late.assert_problem(504, "upstream-timeout");
    shop.sold.server.release(); // the first request, which has been given up
    shop.sold.server.release();
    let retry = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        shop.sold.server.release();
    };
    let request = failing("held");
    let (answer, ()) = tokio::join!(shop.pay("/pictures", &request, &payment), retry);
    answer.assert_ok();
    assert_eq!(shop.payments().len(), 1);
}

#[tokio::test]
async fn failing_simulation_gets_fresh_offer() {
    let shop = Shop::new().await;
    let offered = shop.offer_of("/pictures", &picture()).await;
    shop.sold.world.chain.state().are_buyers_broke = true;
    let refused = shop.pay("/pictures", &picture(), &Buyer::new(41).pay(&offered, 1)).await;
    refused.assert_problem(402, "sale-refused");
    let fresh = challenge(&refused);
    assert!(fresh.error.unwrap().contains("simulation_failed"));
    assert_ne!(fresh.accepts[0].extra.memo, offered.accepts[0].extra.memo);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0), "no work is done");
}

#[tokio::test]
async fn failed_payment_gets_fresh_offer() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    shop.sold.world.chain.state().are_payments_failing = true;
    let (payment, failed) = shop.buy("/pictures", &picture(), &buyer).await;
    failed.assert_problem(402, "sale-refused");
    let settled = settlement(&failed);
    assert!(!settled.success);
    assert_eq!(settled.error_reason.as_deref(), Some("invalid_exact_svm_transaction_failed"));
    assert_eq!(shop.payments().len(), 0);
    shop.sold.world.chain.state().are_payments_failing = false;
    let again = shop.pay("/pictures", &picture(), &payment).await;
    again.assert_problem(402, "sale-refused");
    // The stored answer is for this buyer's next payment.
    let answer = shop.pay("/pictures", &picture(), &buyer.pay(&challenge(&again), 2)).await;
    answer.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn expired_payment_gets_fresh_offer() {
    let shop = Shop::new().await;
    let chain = &shop.sold.world.chain;
    chain.network(Network::Losing);
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &picture()).await, 1);
    let unknown = shop.pay("/pictures", &picture(), &payment).await;
    unknown.assert_problem(503, "payment-unsettled");
    assert_no_challenge(&unknown);
    chain.state().height += 1_000;
    let mut ended = shop.pay("/pictures", &picture(), &payment).await;
    if ended.status == 503 {
        ended = shop.pay("/pictures", &picture(), &payment).await;
    }
    ended.assert_problem(402, "sale-refused");
    assert!(!settlement(&ended).success);
    assert_eq!(shop.payments().len(), 0);
    // The stored answer is for this buyer's next payment.
    chain.network(Network::Up);
    let next = Buyer::new(41).pay(&challenge(&ended), 2);
    shop.pay("/pictures", &picture(), &next).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn unknown_outcome_gets_no_offer() {
    for network in [Network::Silent, Network::Deaf] {
        let shop = Shop::new().await;
        let chain = &shop.sold.world.chain;
        let (buyer, body) = (Buyer::new(41), picture());
        let payment = buyer.pay(&shop.offer_of("/pictures", &body).await, 1);
        chain.network(network);
        let unknown = shop.pay("/pictures", &body, &payment).await;
        unknown.assert_problem(503, "payment-unsettled");
        assert_eq!(unknown.headers["retry-after"], "1");
        assert_no_challenge(&unknown);
        // A client that pays anew meanwhile is not charged again.
        let other = buyer.pay(&shop.offer_of("/pictures", &body).await, 2);
        let second = shop.pay("/pictures", &body, &other).await;
        second.assert_problem(503, "payment-unsettled");
        assert_no_challenge(&second);
        chain.network(Network::Up);
        let answer = shop.pay("/pictures", &body, &payment).await;
        answer.assert_ok();
        assert!(settlement(&answer).success);
        assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
    }
}

#[tokio::test]
async fn unreachable_node_gets_no_offer() {
    let shop = Shop::new().await;
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &picture()).await, 1);
    shop.sold.world.chain.network(Network::Down);
    let refused = shop.pay("/pictures", &picture(), &payment).await;
    refused.assert_problem(503, "chain-unreachable");
    assert_no_challenge(&refused);
    shop.sold.world.chain.network(Network::Up);
    tokio::time::sleep(Duration::from_millis(100)).await;
    shop.pay("/pictures", &picture(), &payment).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn repeated_payment_gets_same_bytes() {
    let shop = Shop::new().await;
    let (payment, first) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    first.assert_ok();
    let again = shop.pay("/pictures", &picture(), &payment).await;
    again.assert_ok();
    assert_eq!((&again.body, receipt(&again)), (&first.body, receipt(&first)));
    assert_eq!(settlement(&again), settlement(&first));
    let shop = shop.restarted().await;
    let again = shop.pay("/pictures", &picture(), &payment).await;
    again.assert_ok();
    assert_eq!((&again.body, receipt(&again)), (&first.body, receipt(&first)));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn repeated_v1_payment_gets_same_bytes() {
    // Version 1 repeats neither nonce nor end: the transaction alone names the sale.
    let shop = Shop::new().await;
    let offered = challenge_v1(&shop.unpaid("/pictures", &picture()).await);
    let payment = x402::to_header(&Buyer::new(41).pay_v1(&offered, 1));
    let pay = async |shop: &Shop, body: &Value| {
        let request = shop.request("/pictures", body).header(x402::PAYMENT_HEADER_V1, &payment);
        Answer::to(request).await
    };
    let body = picture();
    let first = pay(&shop, &body).await;
    first.assert_ok();
    let same = join_all((0..4).map(|_| pay(&shop, &body))).await;
    let shop = shop.restarted().await;
    let later = pay(&shop, &body).await;
    for again in same.iter().chain([&later]) {
        again.assert_ok();
        assert_eq!((&again.body, receipt(again)), (&first.body, receipt(&first)));
    }
    let other = pay(&shop, &json!({ "prompt": "Boston" })).await;
    other.assert_problem(409, "payment-for-another-request");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn concurrent_copies_are_one_sale() {
    let shop = Shop::new().await;
    let body = picture();
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &body).await, 1);
    let answers = join_all((0..16).map(|_| shop.pay("/pictures", &body, &payment))).await;
    for answer in &answers {
        answer.assert_ok();
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(receipt(answer), receipt(&answers[0]));
    }
    let shop = shop.restarted().await;
    for later in join_all((0..16).map(|_| shop.pay("/pictures", &body, &payment))).await {
        later.assert_ok();
        assert_eq!((&later.body, receipt(&later)), (&answers[0].body, receipt(&answers[0])));
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn payment_for_other_request_conflicts() {
    let shop = Shop::new().await;
    let (payment, first) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    first.assert_ok();
    for (path, body) in [
        ("/pictures", json!({ "prompt": "Boston" })),
        ("/pictures?size=l", picture()),
        ("/images", picture()),
    ] {
        let answer = shop.pay(path, &body, &payment).await;
        answer.assert_problem(409, "payment-for-another-request");
        assert_no_challenge(&answer);
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn unpaid_payment_is_bound_to_body() {
    let shop = Shop::new().await;
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &picture()).await, 1);
    let other = shop.pay("/pictures", &json!({ "prompt": "Boston" }), &payment).await;
    other.assert_problem(402, "sale-refused");
    assert!(challenge(&other).error.unwrap().contains("memo_mismatch"));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0));
}

#[tokio::test]
async fn delivered_answer_without_bytes_is_gone() {
    let shop = Shop::new().await;
    let (payment, first) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    first.assert_ok();
    tokio::time::sleep(Duration::from_millis(200)).await; // the delivery is recorded
    let shop = without_answers(shop).await;
    let gone = shop.pay("/pictures", &picture(), &payment).await;
    gone.assert_problem(410, "answer-gone");
    assert_no_challenge(&gone);
    assert_eq!(receipt(&gone), receipt(&first));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn lost_answer_is_made_again() {
    let shop = Shop::new().await;
    shop.sold.world.chain.network(Network::Silent);
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &picture()).await, 1);
    let unknown = shop.pay("/pictures", &picture(), &payment).await;
    unknown.assert_problem(503, "payment-unsettled");
    let shop = without_answers(shop).await;
    shop.sold.world.chain.network(Network::Up);
    shop.pay("/pictures", &picture(), &payment).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 2));
}

#[tokio::test]
async fn impatient_buyer_is_charged_once() {
    let shop = Shop::new().await;
    let (buyer, body) = (Buyer::new(41), failing("slow"));
    let payment = buyer.pay(&shop.offer_of("/pictures", &body).await, 1);
    let request = shop.request("/pictures", &body);
    let request = request.header(x402::PAYMENT_HEADER, x402::to_header(&payment));
    let gave_up = request.timeout(Duration::from_millis(200)).send().await;
    assert!(gave_up.unwrap_err().is_timeout());
    // As stock clients do: a new payment for the same request.
    let other = buyer.pay(&shop.offer_of("/pictures", &body).await, 2);
    let answer = shop.pay("/pictures", &body, &other).await;
    answer.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
    assert_eq!(shop.payments()[0].memo, payment.accepted.extra.memo.unwrap());
    // After the second in which the answer was handed over, a payment buys another one.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let (_, next) = shop.buy("/pictures", &body, &buyer).await;
    next.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 2));
}

#[tokio::test]
async fn named_payment_is_one_purchase() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    let named = async |name: &str, path: &str, blockhash: u8| {
        let mut payment = buyer.pay(&shop.offer_of(path, &picture()).await, blockhash);
        let extension = json!({ "info": { "id": name } });
        payment.extensions = Some([("payment-identifier".to_owned(), extension)].into());
        shop.pay(path, &picture(), &payment).await
    };
    named("order-0000000001", "/pictures", 1).await.assert_ok();
    named("order-0000000002", "/pictures", 2).await.assert_ok();
    // A new payment of the same purchase is not sent, although its answer was handed over.
    named("order-0000000001", "/pictures", 4).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 2));
    let taken = named("order-0000000001", "/pictures?size=l", 3).await;
    taken.assert_problem(409, "payment-for-another-request");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (2, 2));
}

#[tokio::test]
async fn answered_payment_is_not_sent_later() {
    let shop = Shop::new().await;
    let (buyer, body) = (Buyer::new(41), failing("slow"));
    let first = buyer.pay(&shop.offer_of("/pictures", &body).await, 1);
    let second = buyer.pay(&shop.offer_of("/pictures", &body).await, 2);
    let both = [&first, &second].map(|payment| shop.pay("/pictures", &body, payment));
    let both = join_all(both).await;
    assert_eq!(both[0].body, both[1].body);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
    tokio::time::sleep(Duration::from_millis(200)).await; // the answer was handed over
    for payment in [&first, &second] {
        let again = shop.pay("/pictures", &body, payment).await;
        again.assert_ok();
        assert_eq!((&again.body, receipt(&again)), (&both[0].body, receipt(&both[0])));
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn slow_route_is_paid_first() {
    let shop = Shop::new().await;
    let offered = shop.offer_of("/images", &failing("held")).await;
    assert_eq!(offered.accepts[0].extra.payment_flow.as_deref(), Some("upfront"));
    let payment = Buyer::new(41).pay(&offered, 1);
    let paying = async {
        shop.sold.server.wait_for_asked(1).await;
        let paid = shop.payments();
        shop.sold.server.release();
        paid
    };
    let request = failing("held");
    let (answer, paid) = tokio::join!(shop.pay("/images", &request, &payment), paying);
    answer.assert_ok();
    assert_eq!((paid.len(), paid[0].amount), (1, AMOUNT), "before the answer was made");
    let again = shop.pay("/images", &failing("held"), &payment).await;
    assert_eq!(again.body, answer.body);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn paid_answer_is_owed_until_made() {
    let shop = Shop::new().await;
    let (payment, owed) = shop.buy("/images", &failing("error"), &Buyer::new(41)).await;
    owed.assert_problem(502, "answer-owed");
    assert_no_challenge(&owed);
    let again = shop.pay("/images", &failing("error"), &payment).await;
    again.assert_problem(502, "answer-owed");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 2), "charged once");
}

#[tokio::test]
async fn copied_transaction_gets_no_answer() {
    let shop = Shop::new().await;
    let (mut payment, first) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    first.assert_ok();
    // What is on chain: the transaction, without the offer's nonce.
    payment.accepted.extra.motif.as_mut().unwrap().nonce.0 ^= 1;
    shop.pay("/pictures", &picture(), &payment).await.assert_problem(402, "sale-refused");
    let v1 = x402::PaymentV1 {
        x402_version: 1,
        scheme: "exact".to_owned(),
        network: "solana-devnet".to_owned(),
        payload: payment.payload,
    };
    let request = shop.request("/pictures", &picture());
    let copied = Answer::to(request.header(x402::PAYMENT_HEADER_V1, x402::to_header(&v1))).await;
    copied.assert_problem(402, "sale-refused");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

on_postgres_too! {
    failed_payment_gets_fresh_offer,
    unknown_outcome_gets_no_offer,
    repeated_payment_gets_same_bytes,
    concurrent_copies_are_one_sale,
    impatient_buyer_is_charged_once,
}
