use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, License},
    gateway::wire::GenerationRequest,
    voucher::{SignedVoucher, Statement},
};
use reqwest::Method;

use crate::world::{Answer, CHANNEL, MINT, World, foreign_key, license, voucher_key};

/// Changes a voucher and signs it again.
fn signed(mut request: GenerationRequest, change: fn(&mut SignedVoucher)) -> GenerationRequest {
    change(&mut request.voucher);
    request.voucher = SignedVoucher::sign(request.voucher.voucher, &voucher_key());
    request
}

/// Asserts that a request is rejected and changes nothing.
async fn refused(world: &World, request: &GenerationRequest, status: u16, slug: &str) -> Answer {
    let before = world.state().await;
    let answer = world.generate("a-key-of-its-own", request).await;
    answer.assert_problem(status, slug);
    assert_eq!(world.state().await, before);
    answer
}

/// Changes the channel on chain and makes the gateway read it again.
async fn changed(world: &World, change: impl FnOnce(&mut ChannelAccount)) {
    change(world.chain.state().channels.get_mut(&CHANNEL).unwrap());
    world.client().open_channel(&CHANNEL).await.unwrap();
}

#[tokio::test]
async fn wrong_price_names_right_total() {
    let world = World::new().await;
    let request = signed(world.next_request().await, |voucher| voucher.voucher.cumulative += 1);
    let answer = refused(&world, &request, 409, "wrong-price").await;
    let expected = answer.problem().expected.unwrap();
    assert_eq!((expected.statement, expected.cumulative.0), (0, 102));
}

#[tokio::test]
async fn replayed_voucher_names_current_total() {
    let world = World::new().await;
    let request = world.next_request().await;
    world.generate("the-first-key", &request).await.assert_ok();
    let answer = refused(&world, &request, 409, "voucher-not-newer").await;
    assert_eq!(answer.problem().expected.unwrap().cumulative.0, 102);
}

#[tokio::test]
async fn mismatched_voucher_is_rejected() {
    let world = World::new().await;
    let request = world.next_request().await;
    let others: [fn(&mut SignedVoucher); 3] = [
        |voucher| voucher.voucher.channel = MINT,
        |voucher| voucher.voucher.opened_slot += 1,
        |voucher| voucher.voucher.cluster = [0; 32],
    ];
    for other in others {
        let request = signed(request.clone(), other);
        refused(&world, &request, 422, "voucher-other-channel").await;
    }
}

#[tokio::test]
async fn forged_voucher_is_rejected() {
    let world = World::new().await;
    let mut request = world.next_request().await;
    let voucher = request.voucher.voucher;
    request.voucher = SignedVoucher::sign(voucher, &foreign_key());
    refused(&world, &request, 422, "voucher-signature").await;
    let mut request = world.next_request().await;
    request.voucher.voucher.cumulative += 1;
    refused(&world, &request, 422, "voucher-signature").await;
}

#[tokio::test]
async fn other_statement_names_open_one() {
    let world = World::new().await;
    let ahead = signed(world.next_request().await, |voucher| voucher.voucher.statement += 1);
    refused(&world, &ahead, 409, "statement-ahead").await;
    let old = world.next_request().await;
    world.generate("the-first-key", &old).await.assert_ok();
    world.settle().await.unwrap();
    let answer = refused(&world, &old, 409, "statement-closed").await;
    let expected = answer.problem().expected.unwrap();
    assert_eq!((expected.statement, expected.cumulative.0, expected.entries), (1, 102, vec![]));
}

#[tokio::test]
async fn voucher_for_other_units_is_rejected() {
    let world = World::new().await;
    let request = signed(world.next_request().await, |voucher| {
        voucher.voucher.statement_digest = [(1, 1)].into_iter().collect::<Statement>().digest();
    });
    refused(&world, &request, 409, "statement-mismatch").await;
}

#[tokio::test]
async fn invalid_units_are_rejected() {
    let world = World::new().await;
    let mut request = world.next_request().await;
    request.units = 0;
    refused(&world, &request, 422, "no-units").await;
    (request.units, request.license) = (1, 1);
    refused(&world, &request, 404, "unknown-license").await;
}

#[tokio::test]
async fn underfunded_channel_is_rejected() {
    let world = World::new().await;
    changed(&world, |account| account.channel.upfront_fees = account.channel.deposited - 101).await;
    let request = world.next_request().await;
    refused(&world, &request, 402, "underfunded").await;
    changed(&world, |account| account.channel.deposited += 1).await;
    world.generate("the-first-key", &request).await.assert_ok();
}

#[tokio::test]
async fn license_limits_have_own_problems() {
    let limits: [(&str, License); 5] = [
        ("unit-cap", License { units_left: 0, ..license(100) }),
        ("daily-cap", License { daily_units: 0, ..license(100) }),
        ("revenue-cap", License { revenue_left: 99, ..license(100) }),
        ("license-expired", License { expires_at: 0, ..license(100) }),
        ("amount-too-large", License { price: u64::MAX, ..license(100) }),
    ];
    for (slug, limited) in limits {
        let world = World::new().await;
        changed(&world, |account| {
            account.licenses[0] = limited;
            account.channel.deposited += 1;
        })
        .await;
        let status = if slug == "amount-too-large" { 422 } else { 409 };
        refused(&world, &world.next_request().await, status, slug).await;
    }
}

#[tokio::test]
async fn short_lived_voucher_is_rejected() {
    let world = World::new().await;
    let request = signed(world.next_request().await, |voucher| voucher.voucher.expires_at = 1_000);
    refused(&world, &request, 422, "voucher-expires-too-soon").await;
}

#[tokio::test]
async fn closing_channel_is_rejected() {
    let world = World::new().await;
    let request = world.next_request().await;
    changed(&world, |account| account.channel.closes_at = i64::from(u32::MAX)).await;
    refused(&world, &request, 409, "channel-closing").await;
}

#[tokio::test]
async fn rotating_channel_is_rejected() {
    let world = World::new().await;
    let request = world.next_request().await;
    changed(&world, |account| account.channel.rotates_at = i64::from(u32::MAX)).await;
    refused(&world, &request, 409, "voucher-key-rotating").await;
}

#[tokio::test]
async fn invalid_idempotency_key_is_rejected() {
    let world = World::new().await;
    let body = serde_json::to_vec(&world.next_request().await).unwrap();
    let missing = world.post(None, body.clone()).await;
    missing.assert_problem(400, "idempotency-key-missing");
    for wrong in ["short", "has a space in it", &"x".repeat(129)] {
        let invalid = world.post(Some(wrong), body.clone()).await;
        invalid.assert_problem(400, "idempotency-key-invalid");
    }
    assert_eq!(world.state().await.open.receipts, 0);
}

#[tokio::test]
async fn malformed_body_is_rejected() {
    let world = World::new().await;
    let key = Some("a-key-of-its-own");
    let mut extra = serde_json::to_value(world.next_request().await).unwrap();
    extra["surprise"] = true.into();
    let deep = "[".repeat(10_000);
    for body in ["", "{", "[]", "{\"license\":-1}", "\u{0}", &deep, &extra.to_string()] {
        world.post(key, body.to_owned()).await.assert_problem(400, "malformed-json");
    }
    world.post(key, vec![b' '; 65 * 1024]).await.assert_problem(413, "body-too-large");
    let url = format!("{}/v1/channels", world.gateway.url());
    let plain = reqwest::Client::new().post(url).body("{}").send().await.unwrap();
    assert_eq!(plain.status().as_u16(), 415);
    assert!(plain.text().await.unwrap().contains("unsupported-media-type"));
    assert_eq!(world.state().await.open.receipts, 0);
}

#[tokio::test]
async fn byte_order_mark_is_skipped() {
    let world = World::new().await;
    let request = serde_json::to_string(&world.next_request().await).unwrap();
    let marked = format!("\u{FEFF}{request}");
    world.post(Some("a-key-of-its-own"), marked).await.assert_ok();
}

#[tokio::test]
async fn missing_resources_are_named() {
    let world = World::new().await;
    let get = async |path: &str| world.send(Method::GET, path, None, None).await;
    let address = "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi";
    get("/nowhere").await.assert_problem(404, "not-found");
    get(&format!("/v1/works/{address}")).await.assert_problem(404, "unknown-work");
    get(&format!("/v1/channels/{address}")).await.assert_problem(404, "unknown-channel");
    get("/v1/works/not-a-key").await.assert_problem(400, "invalid-path");
    get("/v1/receipts/abc/proof").await.assert_problem(400, "invalid-path");
    get("/v1/works?kind=sculpture").await.assert_problem(400, "invalid-query");
    get(&format!("/v1/works/{address}/quotes")).await.assert_problem(400, "invalid-query");
    let deleted = world.send(Method::DELETE, "/v1/channels", None, None).await;
    deleted.assert_problem(405, "method-not-allowed");
    let unknown = world.client().open_channel(&MINT).await.unwrap_err();
    assert_eq!(unknown.slug(), Some("unknown-channel"));
}

#[tokio::test]
async fn other_operators_channel_is_rejected() {
    let world = World::with(|config| config.mints = vec![MINT]).await;
    type Change = fn(&mut Channel);
    let cases: [(&str, Change); 4] = [
        ("wrong-operator", |channel| channel.operator = MINT),
        ("grace-too-short", |channel| channel.grace_seconds = 3_599),
        ("mint-not-served", |channel| channel.mint = CHANNEL),
        ("deposit-too-large", |channel| channel.deposited = 1 << 63),
    ];
    for (number, (slug, change)) in (40..).zip(cases) {
        // A refusal is kept for a second, so each has an address of its own.
        let address = Pubkey::new_from_array([number; 32]);
        let mut account = world.chain.channel_account();
        change(&mut account.channel);
        world.chain.state().channels.insert(address, account);
        let refused = world.client().open_channel(&address).await.unwrap_err();
        assert_eq!(refused.slug(), Some(slug));
    }
    let greedy = World::with(|config| config.operator_fee_bps = 200).await;
    greedy.chain.state().channels.get_mut(&CHANNEL).unwrap().channel.operator_fee_bps = 199;
    let refused = greedy.client().open_channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("fee-too-low"));
}
