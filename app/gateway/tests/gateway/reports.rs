use std::time::Duration;

use motif_sdk::channel::Moment;
use motif_sdk::gateway::{
    Payer, PayerOptions,
    wire::{UsageBy, UsageReport},
};
use reqwest::{Client, Method};

use crate::world::{
    Answer, CHANNEL, MINT, Network, SECRET, World, on_postgres_too, voucher_key, with_admin,
};

async fn used(generations: u32) -> World {
    let world = World::with(|config| {
        with_admin(config);
        config.settle.look_every = Duration::from_millis(100);
    })
    .await;
    let account = world.chain.channel_account();
    let options = PayerOptions::default();
    let begun = Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await;
    let session = begun.unwrap();
    for _ in 0..generations {
        session.generate(0, 2, [1; 32], [2; 32]).await.unwrap();
    }
    world
}

fn sums(report: &UsageReport) -> Vec<(u64, u64, u64, u64)> {
    let row = |row: &motif_sdk::gateway::wire::UsageRow| {
        (row.generations, row.units, row.prices.0, row.charged.0)
    };
    report.rows.iter().map(row).collect()
}

#[tokio::test]
async fn reports_add_up_by_every_key() {
    let world = used(3).await;
    world.settle().await.unwrap();
    world.generate("another-key", &world.next_request().await).await.assert_ok();
    for by in [UsageBy::Work, UsageBy::Day, UsageBy::Platform, UsageBy::Channel, UsageBy::ApiKey] {
        let own = world.client().usage(&CHANNEL, by, None, None).await.unwrap();
        assert_eq!(sums(&own), [(4, 7, 700, 714)], "{by}");
        assert_eq!(own.rows[0].mint.0, MINT);
        assert_eq!(world.admin().usage(by, None, None).await.unwrap().rows, own.rows);
    }
    let none = world.client().usage(&CHANNEL, UsageBy::Day, None, Some(1)).await.unwrap();
    assert!(none.rows.is_empty());
    let channel = world.chain.channel_account().channel;
    let by_platform = world.admin().usage(UsageBy::Platform, None, None).await.unwrap();
    assert_eq!(by_platform.rows[0].name, channel.payer.to_string());
}

#[tokio::test]
async fn report_is_available_as_csv() {
    let world = used(1).await;
    let path = format!("/v1/channels/{CHANNEL}/usage?by=channel&format=csv");
    let answer = world.send(Method::GET, &path, None, None).await;
    assert!(answer.kind.starts_with("text/csv"), "{}", answer.kind);
    let expected =
        format!("channel,mint,generations,units,prices,charged\n{CHANNEL},{MINT},1,2,200,204\n");
    assert_eq!(answer.text(), expected);
    let wrong = format!("/v1/channels/{CHANNEL}/usage?by=mood");
    world.send(Method::GET, &wrong, None, None).await.assert_problem(400, "invalid-query");
}

#[tokio::test]
async fn books_match_chain_exactly() {
    let world = used(3).await;
    let books = world.admin().reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
    world.settle().await.unwrap();
    world.generate("another-key", &world.next_request().await).await.assert_ok();
    let world = world.restarted(false).await;
    let books = world.admin().reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
    let channel = &books.channels[0];
    assert_eq!((channel.receipts, channel.settled_statements), (4, 1));
    assert_eq!((channel.vouched.0, channel.settled.0, channel.exposed.0), (714, 612, 102));
    assert_eq!((channel.receipts_prices.0, channel.receipts_charged.0), (700, 714));
}

#[tokio::test]
async fn mismatched_books_are_inexact() {
    let world = used(3).await;
    world.settle().await.unwrap();
    let store = sqlx::SqlitePool::connect(&format!("sqlite:{}", world.store().display())).await;
    let store = store.unwrap();
    for (damage, repair) in [
        (
            "UPDATE generations SET amount = amount + 1 WHERE position = 1",
            "UPDATE generations SET amount = amount - 1 WHERE position = 1",
        ),
        (
            "UPDATE generations SET units = units + 1 WHERE position = 1",
            "UPDATE generations SET units = units - 1 WHERE position = 1",
        ),
        (
            "UPDATE generations SET charged = charged + 1 WHERE position = 2",
            "UPDATE generations SET charged = charged - 1 WHERE position = 2",
        ),
        ("UPDATE statements SET prices = prices + 1", "UPDATE statements SET prices = prices - 1"),
        ("UPDATE statements SET record_hash = zeroblob(32), fee = fee + 0", ""),
    ] {
        sqlx::query(damage).execute(&store).await.unwrap();
        let books = world.admin().reconcile().await.unwrap();
        assert!(!books.exact, "{damage}");
        assert!(!books.channels[0].differences.is_empty());
        if !repair.is_empty() {
            sqlx::query(repair).execute(&store).await.unwrap();
            assert!(world.admin().reconcile().await.unwrap().exact, "{repair}");
        }
    }
    world.chain.network(Network::Down);
    let url = format!("{}/v1/reconciliation", world.gateway.admin_url().unwrap());
    let answer = Answer::to(Client::new().get(url).bearer_auth(SECRET)).await;
    answer.assert_problem(503, "chain-unreachable");
}

#[tokio::test]
async fn closed_channel_is_still_reconciled() {
    let world = used(2).await;
    world.settle().await.unwrap();
    let over = {
        let mut state = world.chain.state();
        let now = state.now;
        let mut account = state.channels.remove(&CHANNEL).unwrap();
        let payer = account.channel.payer;
        account
            .channel
            .request_close(|key| *key == payer, Moment { unix_seconds: now, slot: 0 })
            .unwrap();
        account.channel.closes_at = now;
        account
    };
    // While it exists, and after its account was deleted.
    for is_there in [true, false] {
        if is_there {
            world.chain.state().channels.insert(CHANNEL, over.clone());
        } else {
            world.chain.state().channels.remove(&CHANNEL);
        }
        let books = world.admin().reconcile().await.unwrap();
        assert!(books.exact, "{books:?}");
        assert_eq!((books.channels[0].settled.0, books.channels[0].exposed.0), (408, 0));
    }
    // An unknown key is not a failure and not logged as one.
    let failures = world.gateway.app().metrics.settlement_failures.get();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.gateway.app().metrics.settlement_failures.get(), failures);
    assert_eq!(world.gateway.app().exposure().blind_seconds, 0);
}

#[tokio::test]
async fn lost_amount_of_closed_channel_is_named() {
    let world = used(1).await;
    world.chain.state().channels.remove(&CHANNEL);
    let books = world.admin().reconcile().await.unwrap();
    assert!(!books.exact);
    let differences = books.channels[0].differences.join("\n");
    assert!(
        differences.contains("the channel is not on chain, and 204 never settled"),
        "{differences}"
    );
}

on_postgres_too! {
    closed_channel_is_still_reconciled,
    reports_add_up_by_every_key,
    books_match_chain_exactly,
}
