//! Offers without a channel: which are made, and purchases of each protocol.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use motif_sdk::{
    acceptance::SaleAcceptance,
    fingerprint::content_digest,
    gateway::{
        paid_request_digest,
        wire::{PaymentRequired, mpp, x402},
    },
    licensing::WorkStatus,
    pda,
};
use serde_json::{Value, json};

use crate::{
    shop::{
        AMOUNT, PUBLIC_URL, Shop, challenge, challenge_mpp, challenge_v1, header, picture, receipt,
        settlement,
    },
    world::{Answer, Buyer, MINT, Network, SECRET, on_postgres_too, with_admin},
};

#[tokio::test]
async fn unpaid_request_lists_all_offers() {
    let shop = Shop::new().await;
    let answer = shop.unpaid("/pictures?size=l", &picture()).await;
    answer.assert_problem(402, "payment-required");
    let size: usize =
        answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!(size < 8_192, "{size} bytes of headers");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    let exposed = header(&answer, "access-control-expose-headers");
    assert!(exposed.contains("payment-required") && exposed.contains("www-authenticate"));
    let motif = PaymentRequired::from_header(header(&answer, PaymentRequired::HEADER)).unwrap();
    assert!(matches!(motif, PaymentRequired::PriceTag(_)));

    let offered = challenge(&answer);
    assert_eq!(offered.resource.url, format!("{PUBLIC_URL}/pictures?size=l"));
    let accepted = &offered.accepts[0];
    assert_eq!((accepted.amount.0, accepted.asset.0), (AMOUNT, MINT));
    assert_eq!(accepted.pay_to.0, pda::till(&shop.shares(), &MINT));
    assert_eq!(accepted.network, "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1");
    let extra = &accepted.extra;
    assert_eq!(extra.fee_payer.unwrap().0, shop.sold.world.operator());
    assert_eq!(extra.payment_flow, None);
    let offer = extra.motif.clone().unwrap();
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
        request_digest: paid_request_digest(
            "POST",
            "/pictures?size=l",
            picture().to_string().as_bytes(),
        ),
        operator: shop.sold.world.operator(),
        not_after: offer.not_after,
        nonce: offer.nonce.0,
    };
    assert_eq!(extra.memo.as_deref(), Some(&acceptance.memo()[..]));

    let v1 = &challenge_v1(&answer).accepts[0];
    assert_eq!((v1.max_amount_required.0, &v1.network[..]), (AMOUNT, "solana-devnet"));
    assert_eq!(v1.resource, offered.resource.url);
    assert_eq!(v1.extra.motif.as_ref().unwrap().nonce.0, 0);

    let charge = challenge_mpp(&answer);
    assert_eq!((&charge.method[..], &charge.intent[..]), ("solana", "charge"));
    let request: mpp::ChargeRequest = mpp::decode(&charge.request).unwrap();
    assert_eq!((request.amount.0, request.recipient), (AMOUNT, accepted.pay_to));
    assert_eq!(request.method_details.network, "localnet");
}

#[tokio::test]
async fn offer_includes_blockhash_hints() {
    let shop = Shop::new().await;
    let answer = shop.unpaid("/pictures", &picture()).await;
    let header = header(&answer, x402::REQUIRED_HEADER);
    let offered: Value = x402::from_header(header).unwrap();
    let extra = &offered["accepts"][0]["extra"];
    assert!(extra["recentBlockhash"].as_str().unwrap().len() >= 32, "{extra}");
    assert_eq!(extra["lastValidBlockHeight"], "1150");
}

#[tokio::test]
async fn landed_payment_delivers_answer() {
    let shop = Shop::new().await;
    let (buyer, body) = (Buyer::new(41), picture());
    let (payment, answer) = shop.buy("/pictures", &body, &buyer).await;
    answer.assert_ok();
    assert!(image::load_from_memory(&answer.body).is_ok());
    assert!(header(&answer, "cache-control").contains("private"));
    let paid = shop.payments();
    assert_eq!((paid.len(), paid[0].tokens, paid[0].amount), (1, shop.tokens(), AMOUNT));
    assert_eq!(paid[0].wallet, buyer.address());
    assert_eq!(shop.sold.server.asked(), 1);

    let settled = settlement(&answer);
    assert!(settled.success);
    assert_eq!(settled.payer.unwrap().0, buyer.address());
    let receipt = receipt(&answer);
    assert!(receipt.verifies(&shop.sold.world.operator()));
    assert_eq!(receipt.transaction.to_string(), settled.transaction);
    assert_eq!(receipt.output_digest.0, content_digest(&answer.body));
    assert_eq!(receipt.acceptance.memo(), paid[0].memo);
    assert_eq!(Some(receipt.acceptance.memo()), payment.accepted.extra.memo);
    assert_eq!(receipt.shares(), shop.shares());
    assert_eq!(receipt.payer.0, buyer.address());
    assert_jws(&settled, &shop);
}

/// Asserts that the signed receipt of x402 is of this sale.
#[track_caller]
fn assert_jws(settled: &x402::Settlement, shop: &Shop) {
    let jws = &settled.extensions[x402::OFFER_RECEIPT]["info"]["receipt"];
    assert_eq!(jws["format"], "jws");
    let parts: Vec<_> = jws["signature"].as_str().unwrap().split('.').collect();
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let head: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    assert_eq!(head["alg"], "EdDSA");
    assert!(head["kid"].as_str().unwrap().starts_with("did:key:z6Mk"));
    let payload: Value = serde_json::from_slice(&decode(parts[1])).unwrap();
    assert_eq!(payload["transaction"], settled.transaction);
    assert_eq!(payload["resourceUrl"], format!("{PUBLIC_URL}/pictures"));
    assert_eq!(payload["payer"], settled.payer.unwrap().to_string());
    let key = VerifyingKey::from_bytes(shop.sold.world.operator().as_array()).unwrap();
    let signature = Signature::from_slice(&decode(parts[2])).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    assert!(key.verify_strict(signed.as_bytes(), &signature).is_ok());
}

#[tokio::test]
async fn v1_payment_delivers_answer() {
    let shop = Shop::new().await;
    let offered = challenge_v1(&shop.unpaid("/pictures", &picture()).await);
    let payment = x402::to_header(&Buyer::new(41).pay_v1(&offered, 1));
    let send = || shop.request("/pictures", &picture()).header(x402::PAYMENT_HEADER_V1, &payment);
    let answer = Answer::to(send()).await;
    answer.assert_ok();
    let settled: x402::Settlement =
        x402::from_header(header(&answer, x402::RESPONSE_HEADER_V1)).unwrap();
    assert!(settled.success);
    assert_eq!(settled.network, "solana-devnet");
    assert_eq!(Answer::to(send()).await.body, answer.body);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn mpp_charge_delivers_answer() {
    let shop = Shop::new().await;
    let offered = challenge_mpp(&shop.unpaid("/pictures", &picture()).await);
    let credential = Buyer::new(41).pay_mpp(&offered, 1).to_header();
    let send = || shop.request("/pictures", &picture()).header("authorization", &credential);
    let answer = Answer::to(send()).await;
    answer.assert_ok();
    let receipt: mpp::Receipt = mpp::decode(header(&answer, mpp::RECEIPT_HEADER)).unwrap();
    assert_eq!((&receipt.status[..], receipt.challenge_id), ("success", offered.id));
    assert_eq!(Answer::to(send()).await.body, answer.body);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn foreign_challenge_is_refused() {
    let shop = Shop::new().await;
    let offered = challenge_mpp(&shop.unpaid("/pictures", &picture()).await);
    let credential = Buyer::new(41).pay_mpp(&offered, 1);
    type Change = fn(&mut mpp::Challenge);
    let changes: [Change; 6] = [
        |challenge| challenge.id.push('x'),
        |challenge| challenge.realm.push('x'),
        |challenge| challenge.expires = None,
        |challenge| challenge.opaque = Some(mpp::encode(&json!({ "n": "1", "t": "2" }))),
        |challenge| challenge.digest = None,
        |challenge| challenge.request.push('A'),
    ];
    for change in changes {
        let mut changed = credential.clone();
        change(&mut changed.challenge);
        let request = shop.request("/pictures", &picture());
        let refused = Answer::to(request.header("authorization", changed.to_header())).await;
        refused.assert_problem(402, "https://paymentauth.org/problems/invalid-challenge");
        challenge_mpp(&refused);
    }
    let malformed = shop.request("/pictures", &picture()).header("authorization", "Payment e30");
    let malformed = Answer::to(malformed).await;
    malformed.assert_problem(402, "https://paymentauth.org/problems/malformed-credential");
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0));
}

#[tokio::test]
async fn second_payment_header_is_refused() {
    let shop = Shop::new().await;
    let offered = shop.unpaid("/pictures", &picture()).await;
    let buyer = Buyer::new(41);
    let payment = x402::to_header(&buyer.pay(&challenge(&offered), 1));
    let credential = buyer.pay_mpp(&challenge_mpp(&offered), 2).to_header();
    let two = shop.request("/pictures", &picture()).header(x402::PAYMENT_HEADER, &payment);
    let two = Answer::to(two.header("authorization", &credential)).await;
    two.assert_problem(400, "two-payments");
    let broken = shop.request("/pictures", &picture()).header(x402::PAYMENT_HEADER, "e30=");
    Answer::to(broken).await.assert_problem(400, "payment-malformed");
    assert_eq!(shop.payments().len(), 0);
}

#[tokio::test]
async fn changed_offer_is_refused() {
    let shop = Shop::new().await;
    let offered = shop.offer_of("/pictures", &picture()).await;
    type Change = fn(&mut x402::Challenge);
    let changes: [(&str, Change); 6] = [
        ("amount_mismatch", |offer| offer.accepts[0].amount.0 -= 1),
        ("recipient_mismatch", |offer| offer.accepts[0].pay_to = offer.accepts[0].asset),
        ("fee_payer_mismatch", |offer| {
            offer.accepts[0].extra.fee_payer = Some(offer.accepts[0].asset);
        }),
        ("memo_mismatch", |offer| offer.accepts[0].extra.memo = Some("A".repeat(32))),
        ("memo_mismatch", |offer| {
            offer.accepts[0].extra.motif.as_mut().unwrap().nonce.0 ^= 1;
        }),
        ("memo_mismatch", |offer| {
            offer.accepts[0].extra.motif.as_mut().unwrap().not_after += 3_600;
        }),
    ];
    for (word, change) in changes {
        let mut changed = offered.clone();
        change(&mut changed);
        let payment = Buyer::new(41).pay(&changed, 1);
        let refused = shop.pay("/pictures", &picture(), &payment).await;
        refused.assert_problem(402, "sale-refused");
        let error = challenge(&refused).error.unwrap();
        assert!(error.contains(word), "{error}");
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0));
}

#[tokio::test]
async fn unsellable_terms_are_not_offered() {
    let shop = Shop::new().await;
    let is_offered = async || {
        let answer = shop.unpaid("/pictures", &picture()).await;
        answer.assert_problem(402, "payment-required");
        answer.headers.contains_key(x402::REQUIRED_HEADER)
    };
    assert!(is_offered().await);
    shop.change_offer(|offer| offer.approval_required = true);
    assert!(!is_offered().await);
    shop.change_offer(|offer| (offer.approval_required, offer.upfront_fee) = (false, 1));
    assert!(!is_offered().await);
    shop.change_offer(|offer| offer.upfront_fee = 0);
    shop.change_work(|work| work.withdrawn_at = 1);
    assert!(!is_offered().await);
    shop.change_work(|work| (work.withdrawn_at, work.status) = (i64::MAX, WorkStatus::Disputed));
    assert!(!is_offered().await);
    shop.change_work(|work| work.status = WorkStatus::Active);
    assert!(is_offered().await);
    // Variable units and streams need a channel.
    for path in ["/texts", "/stories"] {
        let answer = shop.unpaid(path, &json!({ "prompt": "a b" })).await;
        answer.assert_problem(402, "payment-required");
        assert!(!answer.headers.contains_key(x402::REQUIRED_HEADER), "{path}");
    }
}

/// Asserts that a picture is sold on channels only.
async fn assert_vouchers_only(shop: &Shop) {
    let answer = shop.unpaid("/pictures", &picture()).await;
    answer.assert_problem(402, "payment-required");
    assert!(answer.headers.contains_key(PaymentRequired::HEADER), "channels still pay");
    assert!(!answer.headers.contains_key(x402::REQUIRED_HEADER));
    assert!(!answer.headers.contains_key(mpp::CHALLENGE_HEADER));
}

#[tokio::test]
async fn closed_till_is_not_offered() {
    let shop = Shop::unpublished(|_| (), |_| ()).await;
    shop.sold.world.chain.state().are_tills_refused = true;
    shop.publish();
    // Longer than the pause before a till is opened again.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_vouchers_only(&shop).await;
    shop.sold.world.chain.state().are_tills_refused = false;
    shop.offer().await;
}

#[tokio::test]
async fn poor_fee_payer_ends_offers() {
    let shop = Shop::new().await;
    let funds = &shop.sold.world.gateway.app().funds;
    shop.sold.world.chain.state().lamports = 900_000;
    funds.observe().await.unwrap();
    assert_vouchers_only(&shop).await;
    shop.sold.world.chain.state().lamports = 1_000_000_000;
    funds.observe().await.unwrap();
    shop.offer_of("/pictures", &picture()).await;
}

#[tokio::test]
async fn replaced_price_is_not_sold() {
    let shop = Shop::new().await;
    let payment = Buyer::new(41).pay(&shop.offer_of("/pictures", &picture()).await, 1);
    shop.change_offer(|offer| offer.uses[0].price += 100);
    let refused = shop.pay("/pictures", &picture(), &payment).await;
    refused.assert_problem(402, "sale-refused");
    let offered = challenge(&refused);
    assert!(offered.error.unwrap().contains("amount_mismatch"));
    assert_eq!(offered.accepts[0].amount.0, AMOUNT + 102);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (0, 0));
}

#[tokio::test]
async fn metrics_count_sales() {
    let shop = Shop::closed(|_| (), with_admin).await;
    shop.offer().await;
    let (_, sold) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    sold.assert_ok();
    shop.sold.world.chain.state().are_payments_failing = true;
    let (_, failed) = shop.buy("/pictures", &picture(), &Buyer::new(42)).await;
    failed.assert_problem(402, "sale-refused");
    let url = format!("{}/metrics", shop.sold.world.gateway.admin_url().unwrap());
    let text = Answer::to(reqwest::Client::new().get(url).bearer_auth(SECRET)).await.text();
    for line in [
        "motif_sales_landed_total 1",
        "motif_sales_failed_total 1",
        "motif_sale_fees_today_lamports 22000",
        "motif_lamports_spent_total{kind=\"sale\"} 10000",
    ] {
        assert!(text.lines().any(|said| said == line), "{line} is missing in\n{text}");
    }
}

#[tokio::test]
async fn least_price_hides_cheap_sales() {
    let shop = Shop::closed(|sales| sales.paywall.least_price = AMOUNT + 1, |_| ()).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let answer = shop.unpaid("/pictures", &picture()).await;
    answer.assert_problem(402, "payment-required");
    assert!(!answer.headers.contains_key(x402::REQUIRED_HEADER));
    assert!(!answer.headers.contains_key(mpp::CHALLENGE_HEADER));
}

#[tokio::test]
async fn spent_fee_budget_ends_offers() {
    let shop = Shop::with(|sales| sales.daily_lamports = 11_000).await;
    let (_, first) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    first.assert_ok();
    let answer = shop.unpaid("/pictures", &picture()).await;
    answer.assert_problem(402, "payment-required");
    assert!(!answer.headers.contains_key(x402::REQUIRED_HEADER));
    assert!(answer.headers.contains_key(PaymentRequired::HEADER), "channels still pay");
    assert_eq!(shop.sold.world.gateway.app().exposure().sale_fees, 11_000);
}

#[tokio::test]
async fn long_urls_keep_headers_small() {
    let shop = Shop::new().await;
    let mut offers = Vec::new();
    for length in (1_000..=8_000).step_by(250) {
        let path = format!("/pictures?seed={}", "7".repeat(length));
        let answer = shop.unpaid(&path, &picture()).await;
        answer.assert_problem(402, "payment-required");
        let lines =
            answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        let size: usize = lines.sum();
        assert!(size <= 8_192, "{size} bytes of headers for {length} of the URL");
        assert!(answer.headers.contains_key(PaymentRequired::HEADER));
        let resource = format!("{PUBLIC_URL}{path}");
        if answer.headers.contains_key(x402::REQUIRED_HEADER) {
            assert_eq!(challenge(&answer).resource.url, resource);
        }
        assert_eq!(challenge_v1(&answer).accepts[0].resource, resource);
        let has = |name| answer.headers.contains_key(name);
        offers.push((has(x402::REQUIRED_HEADER), has(mpp::CHALLENGE_HEADER)));
    }
    offers.dedup();
    // MPP is left out first. It does not repeat the URL, and is offered again in the place of x402.
    assert_eq!(offers, [(true, true), (true, false), (false, true)]);
    // Version 1 of x402 is in the body, and sells whatever the length.
    let path = format!("/pictures?seed={}", "7".repeat(8_000));
    let offered = challenge_v1(&shop.unpaid(&path, &picture()).await);
    let payment = x402::to_header(&Buyer::new(41).pay_v1(&offered, 1));
    let request = shop.request(&path, &picture()).header(x402::PAYMENT_HEADER_V1, payment);
    Answer::to(request).await.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn voucher_pays_beside_sales() {
    let mut shop = Shop::new().await;
    let request = shop.sold.request("/pictures", picture());
    let answer = shop.sold.fetch(&request).await.unwrap();
    assert_eq!(answer.receipt.receipt.output_digest, content_digest(&answer.body));
    assert_eq!((shop.sold.owed().await, shop.sold.server.asked()), (102, 1));
    assert_eq!(shop.payments().len(), 0);
    // Both kinds of payment are open to a client, and one request takes one of them.
    let (_, sold) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    sold.assert_ok();
    assert_eq!((shop.sold.owed().await, shop.payments().len()), (102, 1));
    assert_eq!(shop.sold.world.settle().await.unwrap()[0].receipts, 1);
}

#[tokio::test]
async fn unreachable_cluster_leaves_vouchers() {
    let shop = Shop::new().await;
    shop.sold.world.chain.network(Network::Down);
    let answer = shop.unpaid("/pictures", &picture()).await;
    answer.assert_problem(402, "payment-required");
    assert!(answer.headers.contains_key(PaymentRequired::HEADER));
    assert!(!answer.headers.contains_key(x402::REQUIRED_HEADER));
}

on_postgres_too! {
    landed_payment_delivers_answer,
    v1_payment_delivers_answer,
    mpp_charge_delivers_answer,
}
