//! Rows of the store that were changed on disk.

use std::time::Duration;

use motif_sdk::receipt::{SignedReceipt, proof::ReceiptProof};
use reqwest::Client;

use crate::{
    forgotten_statements::{assert_provable, execute, pay, session},
    world::{Answer, CHANNEL, Network, SECRET, World, on_postgres_too, with_admin},
};

/// Settles three statements of two receipts each.
async fn settled() -> (World, Vec<SignedReceipt>) {
    let world = World::with(with_admin).await;
    let (mut receipts, payer) = (Vec::new(), session(&world).await);
    for _ in 0..3 {
        receipts.extend(pay(&payer, 2).await);
        world.settle().await.unwrap();
    }
    world.admin().reconcile().await.unwrap(); // applies the journal
    (world, receipts)
}

async fn metric(world: &World) -> String {
    let url = format!("{}/metrics", world.gateway.admin_url().unwrap());
    let text = Answer::to(Client::new().get(url).bearer_auth(SECRET)).await.text();
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("motif_rows_damaged ")).unwrap().to_owned()
}

#[tokio::test]
async fn damaged_statement_is_named_alone() {
    let (world, receipts) = settled().await;
    assert_eq!(metric(&world).await, "0");
    let damage = "UPDATE statements SET prices = prices + 1, fee = fee + 1 WHERE number = 1";
    execute(&world, damage).await;
    let channel = world.chain.channel_account().channel;
    for (number, receipt) in receipts.iter().enumerate() {
        let proof = world.client().proof(&receipt.receipt.digest()).await;
        if number / 2 == 1 {
            assert_eq!(proof.unwrap_err().slug(), Some("receipt-unprovable"));
            continue;
        }
        let proof = ReceiptProof::from(&proof.unwrap());
        assert_eq!(proof.verify(&CHANNEL, &channel, &world.receipt_keys()), Ok(()));
    }
    let books = world.admin().reconcile().await.unwrap();
    let named = "the row of statement 1 is damaged".to_owned();
    assert!(!books.exact && books.channels[0].differences.contains(&named), "{books:?}");
    assert_eq!(metric(&world).await, "1");
    // Payments and settlements go on, also after a restart.
    let world = world.restarted(true).await;
    pay(&session(&world).await, 1).await;
    world.settle().await.unwrap();
    execute(&world, "UPDATE statements SET prices = prices - 1, fee = fee - 1 WHERE number = 1")
        .await;
    assert_provable(&world, &receipts).await;
}

#[tokio::test]
async fn damage_of_any_column_is_noticed() {
    let (world, _) = settled().await;
    for (number, damage, repair) in [
        (
            1,
            "UPDATE statements SET cut_at = cut_at + 1 WHERE number = 1",
            "UPDATE statements SET cut_at = cut_at - 1 WHERE number = 1",
        ),
        (
            1,
            "UPDATE statements SET cumulative = cumulative + 1 WHERE number = 1",
            "UPDATE statements SET cumulative = cumulative - 1 WHERE number = 1",
        ),
        (
            1,
            "UPDATE statements SET settled_at = settled_at + 1 WHERE number = 1",
            "UPDATE statements SET settled_at = settled_at - 1 WHERE number = 1",
        ),
        (
            9,
            "UPDATE statements SET number = 9 WHERE number = 1",
            "UPDATE statements SET number = 1 WHERE number = 9",
        ),
        (0, "UPDATE statements SET entries = zeroblob(6) WHERE number = 0", ""),
        (1, "UPDATE statements SET receipts_root = record_hash WHERE number = 1", ""),
        (2, "UPDATE statements SET record_hash = receipts_root WHERE number = 2", ""),
    ] {
        execute(&world, damage).await;
        let books = world.admin().reconcile().await.unwrap();
        let named = format!("the row of statement {number} is damaged");
        assert!(books.channels[0].differences.contains(&named), "{damage}: {books:?}");
        if !repair.is_empty() {
            execute(&world, repair).await;
            assert!(world.admin().reconcile().await.unwrap().exact, "{repair}");
        }
    }
}

#[tokio::test]
async fn damaged_unsettled_statement_is_quarantined() {
    let world = World::with(with_admin).await;
    pay(&session(&world).await, 2).await;
    world.chain.network(Network::Refusing);
    world.settle().await.unwrap_err();
    world.chain.network(Network::Up);
    execute(&world, "UPDATE statements SET settled_at = 1").await;
    let world = world.restarted(true).await;
    let quarantined = world.admin().quarantined().await.unwrap();
    assert_eq!(quarantined[0].channel.unwrap().0, CHANNEL);
    assert!(quarantined[0].reason.contains("row of statement 0"), "{}", quarantined[0].reason);
    let books = world.admin().reconcile().await.unwrap();
    assert_eq!((books.exact, books.quarantined.len()), (false, 1));
    execute(&world, "UPDATE statements SET settled_at = NULL").await;
    let world = world.restarted(true).await;
    assert!(world.admin().quarantined().await.unwrap().is_empty());
    // The settlement worker or this request settles it, once.
    let _ = world.settle().await;
    let books = world.admin().reconcile().await.unwrap();
    assert!(books.exact && books.channels[0].settled_statements == 1, "{books:?}");
}

#[tokio::test]
async fn damaged_receipt_is_never_served() {
    let world = World::with(with_admin).await;
    let receipts = pay(&session(&world).await, 3).await;
    world.admin().reconcile().await.unwrap();
    execute(&world, "UPDATE generations SET issued_at = issued_at + 1 WHERE position = 1").await;
    let client = world.client().patience(Duration::ZERO);
    let page = client.receipts(&CHANNEL, None, 3, 0).await.unwrap_err();
    assert_eq!(page.slug(), Some("store-failed"));
    for (offset, receipt) in [(0, &receipts[0]), (2, &receipts[2])] {
        let page = client.receipts(&CHANNEL, None, 1, offset).await.unwrap();
        assert_eq!(page.receipts[0].digest.0, receipt.receipt.digest());
    }
    assert_eq!(metric(&world).await, "1");
}

on_postgres_too! {
    damaged_statement_is_named_alone,
    damaged_unsettled_statement_is_quarantined,
    damaged_receipt_is_never_served,
}
