//! Settled statements whose recording failed.

use std::time::Duration;

use motif_sdk::{
    gateway::{Payer, PayerOptions},
    receipt::{SignedReceipt, proof::ReceiptProof},
};
use sqlx::{Connection, SqliteConnection, query};

use crate::world::{CHANNEL, Network, World, on_postgres_too, voucher_key, with_admin};

/// Executes SQL on the store's tables.
pub async fn execute(world: &World, sql: &'static str) {
    match world.config.store.file() {
        Some(file) => {
            let mut tables =
                SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
            query(sql).execute(&mut tables).await.unwrap();
        }
        None => {
            let url = world.database_url().unwrap();
            let mut tables = sqlx::PgConnection::connect(url).await.unwrap();
            query(sql).execute(&mut tables).await.unwrap();
        }
    }
}

/// Begins a session of the payer, who owes nothing.
pub async fn session(world: &World) -> Payer {
    let account = world.chain.channel_account();
    let options = PayerOptions::default();
    Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await.unwrap()
}

/// Pays for some generations; returns their receipts.
pub async fn pay(session: &Payer, count: u8) -> Vec<SignedReceipt> {
    let mut receipts = Vec::new();
    for number in 0..count {
        receipts.push(session.generate(0, 1, [number; 32], [number; 32]).await.unwrap());
    }
    receipts
}

/// Asserts that every receipt has a proof and that the books are exact.
pub async fn assert_provable(world: &World, receipts: &[SignedReceipt]) {
    let channel = world.chain.channel_account().channel;
    for receipt in receipts {
        let parts = world.client().proof(&receipt.receipt.digest()).await.unwrap();
        let proof = ReceiptProof::from(&parts);
        assert_eq!(proof.verify(&CHANNEL, &channel, &world.receipt_keys()), Ok(()));
    }
    let books = world.admin().reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
}

#[tokio::test]
async fn failed_read_loses_no_settlement() {
    let world = World::with(|config| {
        with_admin(config);
        config.settle.look_every = Duration::from_secs(3_600);
        config.settle.max_blind_seconds = 7_200;
    });
    let world = world.await;
    let payer = session(&world).await;
    let mut receipts = pay(&payer, 3).await;
    world.chain.network(Network::Silent);
    let settling = world.settle();
    tokio::pin!(settling);
    while world.chain.channel_account().channel.statements.length == 0 {
        let waited = tokio::time::timeout(Duration::from_millis(20), &mut settling).await;
        assert!(waited.is_err(), "{waited:?}");
    }
    // The settlement has landed, and the gateway cannot read the receipts that it has to record.
    execute(&world, "ALTER TABLE generations RENAME TO hidden").await;
    let failed = world.client().open_channel(&CHANNEL).await.unwrap_err();
    assert_eq!(failed.slug(), Some("store-failed"));
    execute(&world, "ALTER TABLE hidden RENAME TO generations").await;
    world.client().open_channel(&CHANNEL).await.unwrap();
    world.chain.network(Network::Up);
    settling.await.unwrap();
    receipts.extend(pay(&payer, 2).await);
    world.settle().await.unwrap();
    assert_provable(&world, &receipts).await;
}

#[tokio::test]
async fn forgotten_statement_is_recorded_at_start() {
    let mut world = World::with(with_admin).await;
    let mut receipts = Vec::new();
    let payer = session(&world).await;
    for _ in 0..4 {
        receipts.extend(pay(&payer, 2).await);
        world.settle().await.unwrap();
    }
    let forget = "UPDATE statements SET fee = NULL, cumulative = NULL, receipts_root = NULL, \
                  record_hash = NULL, settled_at = NULL, settled_checksum = NULL WHERE number IN (1, 3)";
    execute(&world, forget).await;
    assert!(!world.admin().reconcile().await.unwrap().exact);
    let refused = world.client().proof(&receipts[2].receipt.digest()).await.unwrap_err();
    assert_eq!(refused.slug(), Some("receipt-not-settled"));
    world = world.restarted(true).await;
    world.client().open_channel(&CHANNEL).await.unwrap();
    assert_provable(&world, &receipts).await;
}

#[tokio::test]
async fn forgotten_open_statement_is_recorded() {
    let mut world = World::with(with_admin).await;
    let receipts = pay(&session(&world).await, 3).await;
    world.settle().await.unwrap();
    execute(&world, "DELETE FROM statements").await;
    world = world.restarted(true).await;
    world.client().open_channel(&CHANNEL).await.unwrap();
    assert_provable(&world, &receipts).await;
    assert_eq!(world.state().await.open.statement, 1);
}

on_postgres_too! {
    failed_read_loses_no_settlement,
    forgotten_statement_is_recorded_at_start,
    forgotten_open_statement_is_recorded,
}
