//! What payers can make the operator spend.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use motif_gateway::{StartError, serve_with};
use motif_sdk::{channel::License, gateway::PayerRequest, voucher::SignedVoucher};
use reqwest::Method;

use crate::world::{Answer, CHANNEL, World, channel_account, license, voucher_key, with_admin};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Pays with a voucher that expires after some seconds.
async fn pay_for(world: &World, key: &str, seconds: i64) -> Answer {
    let mut request = world.next_request().await;
    request.voucher.voucher.expires_at = now() + seconds;
    request.voucher = SignedVoucher::sign(request.voucher.voucher, &voucher_key());
    world.generate(key, &request).await
}

async fn ready(world: &World) -> Answer {
    world.send(Method::GET, "/readyz", None, None).await
}

#[tokio::test]
async fn short_vouchers_are_rejected() {
    let world = World::unopened(|config| {
        config.settle.look_every = Duration::from_millis(20);
    });
    let world = world.await;
    world.chain.state().now = now();
    world.client().open_channel(&CHANNEL).await.unwrap();
    // One second beyond the settlement margin: it would have to settle at once.
    pay_for(&world, "a-short-one", 601).await.assert_problem(422, "voucher-expires-too-soon");
    for number in 0..12 {
        pay_for(&world, &format!("generation-{number}"), 3_660).await.assert_ok();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(world.chain.state().submitted.is_empty(), "no voucher is urgent");
    let published = world.client().operator().await.unwrap();
    assert_eq!(published.min_voucher_seconds, 3_600);
}

#[tokio::test]
async fn small_amount_is_not_settled() {
    let world = World::unopened(|config| {
        with_admin(config);
        config.settle.look_every = Duration::from_millis(20);
        config.settle.at_age_seconds = 0;
        config.settle.min_amount = Some(3 * 102);
        config.min_useful_seconds = 0;
    });
    let world = world.await;
    world.chain.state().now = now();
    world.client().open_channel(&CHANNEL).await.unwrap();
    // By age and by expiry both would be due.
    for number in 0..2 {
        pay_for(&world, &format!("generation-{number}"), 601).await.assert_ok();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = world.client().settle(&world.request(PayerRequest::settle)).await.unwrap_err();
    assert_eq!(refused.slug(), Some("settlement-too-small"));
    assert!(world.chain.state().submitted.is_empty());
    pay_for(&world, "the-third-one", 601).await.assert_ok();
    for _ in 0..250 {
        if world.chain.channel_account().channel.prices == 300 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("three generations are worth a settlement");
}

#[tokio::test]
async fn ending_license_settles_any_amount() {
    let world = World::unopened(|config| {
        config.settle.look_every = Duration::from_millis(20);
        config.settle.min_amount = Some(1_000);
        config.min_voucher_seconds = 2;
    });
    let world = world.await;
    {
        let mut state = world.chain.state();
        state.now = now();
        let account = state.channels.get_mut(&CHANNEL).unwrap();
        account.licenses = vec![License { expires_at: now() + 5, ..license(100) }];
    }
    world.client().open_channel(&CHANNEL).await.unwrap();
    pay_for(&world, "the-first-key", 100_000).await.assert_ok();
    for _ in 0..400 {
        world.chain.state().now = now();
        if world.chain.channel_account().channel.prices == 100 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the license's end blocks the channel");
}

#[tokio::test]
async fn price_below_minimum_is_rejected() {
    let world = World::with(|config| config.min_price = 100).await;
    world.generate("at-the-minimum", &world.next_request().await).await.assert_ok();
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().licenses = vec![license(99)];
    world.client().open_channel(&CHANNEL).await.unwrap();
    let refused = world.generate("below-it", &world.next_request().await).await;
    refused.assert_problem(422, "price-too-low");
}

#[tokio::test]
async fn small_deposit_is_not_served() {
    let world = World::unopened(|config| config.min_deposit = 1_000_001).await;
    let refused = world.client().open_channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("deposit-too-small"));
    let mut account = channel_account(world.operator());
    account.channel.deposited = 1_000_001;
    world.chain.state().channels.insert(CHANNEL, account);
    // A refusal is remembered for a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.client().open_channel(&CHANNEL).await.unwrap();
}

#[tokio::test]
async fn unfunded_operator_does_not_start() {
    let world = World::with(with_admin).await;
    world.chain.state().lamports = 4_999_999;
    let mut config = world.config.clone();
    config.store = world.store().with_file_name("another.sqlite").into();
    let refused = serve_with(config.clone(), world.chain.clone()).await.err().unwrap();
    assert!(matches!(refused, StartError::Unfunded { lamports: 4_999_999, .. }), "{refused}");
    config.settle.min_lamports = 0;
    serve_with(config, world.chain.clone()).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn unfunded_operator_takes_no_vouchers() {
    let world = World::with(with_admin).await;
    let fund = async |lamports| {
        world.chain.state().lamports = lamports;
        world.gateway.app().funds.observe().await.unwrap();
    };
    ready(&world).await.assert_ok();
    fund(4_999_999).await;
    ready(&world).await.assert_problem(503, "operator-unfunded");
    // It still pays for some settlements.
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    fund(910_879).await;
    let request = world.next_request().await;
    world.generate("another-key", &request).await.assert_problem(503, "operator-unfunded");
    fund(5_000_000).await;
    ready(&world).await.assert_ok();
    world.generate("another-key", &request).await.assert_ok();
}

#[tokio::test]
async fn expenses_are_counted_by_kind() {
    let world = World::with(with_admin).await;
    for number in 0..2 {
        let request = world.next_request().await;
        world.generate(&format!("generation-{number}"), &request).await.assert_ok();
        world.settle().await.unwrap();
    }
    world.admin().claim_fees(&CHANNEL).await.unwrap();
    let world = world.restarted(true).await;
    let books = world.admin().reconcile().await.unwrap();
    let spent =
        books.expenses.iter().map(|sum| (&sum.kind[..], sum.transactions, sum.fee_lamports));
    assert_eq!(spent.collect::<Vec<_>>(), [("claim", 1, 10_000), ("settle", 2, 20_000)]);
}
