use motif_sdk::{
    channel::{Channel, ChannelAccount, License},
    gateway::wire::{Digest, GenerationRequest, VoucherParts},
    voucher::{SignedVoucher, Statement},
};
use reqwest::Method;

use crate::world::{Answer, CHANNEL, MINT, World, foreign_key, license, voucher_key};

/// Signs again, after a change.
fn signed(mut request: GenerationRequest, change: fn(&mut VoucherParts)) -> GenerationRequest {
    change(&mut request.voucher);
    let voucher = request.voucher.signed_by(Default::default()).voucher;
    request.voucher = VoucherParts::from(&SignedVoucher::sign(voucher, &voucher_key()));
    request
}

/// Has a request refused, and sees that nothing has changed.
async fn refused(world: &World, request: &GenerationRequest, status: u16, slug: &str) -> Answer {
    let before = world.state().await;
    let answer = world.generate("a-key-of-its-own", request).await;
    answer.assert_problem(status, slug);
    assert_eq!(world.state().await, before);
    answer
}

/// Changes the channel on chain and has the gateway read it again.
async fn changed(world: &World, change: impl FnOnce(&mut ChannelAccount)) {
    change(world.chain.state().channels.get_mut(&CHANNEL).unwrap());
    world.client().open_channel(&CHANNEL).await.unwrap();
}

#[tokio::test]
async fn a_wrong_price_is_refused_with_the_right_total() {
    let world = World::new().await;
    let request = signed(world.next_request().await, |voucher| voucher.cumulative.0 += 1);
    let answer = refused(&world, &request, 409, "wrong-price").await;
    let expected = answer.problem().expected.unwrap();
    assert_eq!((expected.statement, expected.cumulative.0), (0, 102));
}

#[tokio::test]
async fn a_replayed_voucher_is_refused_with_the_present_total() {
    let world = World::new().await;
    let request = world.next_request().await;
    world.generate("the-first-key", &request).await.assert_ok();
    let answer = refused(&world, &request, 409, "voucher-not-newer").await;
    assert_eq!(answer.problem().expected.unwrap().cumulative.0, 102);
}

#[tokio::test]
async fn a_voucher_for_anything_else_is_refused() {
    let world = World::new().await;
    let request = world.next_request().await;
    let others: [fn(&mut VoucherParts); 3] = [
        |voucher| voucher.channel.0 = MINT,
        |voucher| voucher.opened_slot += 1,
        |voucher| voucher.cluster = Digest([0; 32]),
    ];
    for other in others {
        let request = signed(request.clone(), other);
        refused(&world, &request, 422, "voucher-other-channel").await;
    }
}

#[tokio::test]
async fn a_voucher_that_its_key_did_not_sign_is_refused() {
    let world = World::new().await;
    let mut request = world.next_request().await;
    let voucher = request.voucher.signed_by(Default::default()).voucher;
    request.voucher = VoucherParts::from(&SignedVoucher::sign(voucher, &foreign_key()));
    refused(&world, &request, 422, "voucher-signature").await;
    let mut request = world.next_request().await;
    request.voucher.cumulative.0 += 1;
    refused(&world, &request, 422, "voucher-signature").await;
}

#[tokio::test]
async fn a_voucher_for_another_statement_is_refused_with_the_open_one() {
    let world = World::new().await;
    let ahead = signed(world.next_request().await, |voucher| voucher.statement += 1);
    refused(&world, &ahead, 409, "statement-ahead").await;
    let old = world.next_request().await;
    world.generate("the-first-key", &old).await.assert_ok();
    world.settle().await.unwrap();
    let answer = refused(&world, &old, 409, "statement-closed").await;
    let expected = answer.problem().expected.unwrap();
    assert_eq!((expected.statement, expected.cumulative.0, expected.entries), (1, 102, vec![]));
}

#[tokio::test]
async fn a_voucher_for_other_units_is_refused() {
    let world = World::new().await;
    let request = signed(world.next_request().await, |voucher| {
        voucher.statement_digest.0 = [(1, 1)].into_iter().collect::<Statement>().digest();
    });
    refused(&world, &request, 409, "statement-mismatch").await;
}

#[tokio::test]
async fn units_are_above_zero_and_of_a_license_there_is() {
    let world = World::new().await;
    let mut request = world.next_request().await;
    request.units = 0;
    refused(&world, &request, 422, "no-units").await;
    (request.units, request.license) = (1, 1);
    refused(&world, &request, 404, "unknown-license").await;
}

#[tokio::test]
async fn an_underfunded_channel_is_refused_until_it_is_topped_up() {
    let world = World::new().await;
    changed(&world, |account| account.channel.upfront_fees = account.channel.deposited - 101).await;
    let request = world.next_request().await;
    refused(&world, &request, 402, "underfunded").await;
    changed(&world, |account| account.channel.deposited += 1).await;
    world.generate("the-first-key", &request).await.assert_ok();
}

#[tokio::test]
async fn each_limit_of_a_license_has_its_own_name() {
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
async fn a_voucher_that_ends_too_soon_is_refused() {
    let world = World::new().await;
    let request = signed(world.next_request().await, |voucher| voucher.expires_at = 1_000);
    refused(&world, &request, 422, "voucher-expires-too-soon").await;
}

#[tokio::test]
async fn a_closing_channel_is_refused() {
    let world = World::new().await;
    let request = world.next_request().await;
    changed(&world, |account| account.channel.closes_at = i64::from(u32::MAX)).await;
    refused(&world, &request, 409, "channel-closing").await;
}

#[tokio::test]
async fn a_channel_whose_voucher_key_is_changing_is_refused() {
    let world = World::new().await;
    let request = world.next_request().await;
    changed(&world, |account| account.channel.rotates_at = i64::from(u32::MAX)).await;
    refused(&world, &request, 409, "voucher-key-rotating").await;
}

#[tokio::test]
async fn a_generation_needs_a_key_that_is_one() {
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
async fn a_body_that_is_not_what_it_should_be_is_refused() {
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
async fn what_is_not_there_is_refused_by_name() {
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
async fn a_channel_that_is_not_for_this_gateway_is_refused() {
    let world = World::with(|config| config.mints = vec![MINT]).await;
    type Change = fn(&mut Channel);
    let cases: [(&str, Change); 4] = [
        ("wrong-operator", |channel| channel.operator = MINT),
        ("grace-too-short", |channel| channel.grace_seconds = 3_599),
        ("mint-not-served", |channel| channel.mint = CHANNEL),
        ("deposit-too-large", |channel| channel.deposited = 1 << 63),
    ];
    for (slug, change) in cases {
        let mut account = world.chain.channel_account();
        change(&mut account.channel);
        world.chain.state().channels.insert(MINT, account);
        let refused = world.client().open_channel(&MINT).await.unwrap_err();
        assert_eq!(refused.slug(), Some(slug));
    }
    let greedy = World::with(|config| config.operator_fee_bps = 200).await;
    greedy.chain.state().channels.get_mut(&CHANNEL).unwrap().channel.operator_fee_bps = 199;
    let refused = greedy.client().open_channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("fee-too-low"));
}
