//! Finding generations in a file's store that has many of them, written in batches of any size.

use std::{path::Path, sync::Arc, time::Duration};

use ed25519_dalek::SigningKey;
use motif_gateway::store::{
    Change, ChannelId, Generation, Lease, NoMoments, Process, Store, UsageAsked,
};
use motif_sdk::{
    Pubkey,
    gateway::wire::UsageBy,
    receipt::{Receipt, SignedReceipt},
};
use sqlx::{Connection, Row, SqliteConnection};

use crate::world::{CHANNEL, World};

/// Sizes of batches, over and over: enough of each for small runs to be joined, and those again.
const BATCHES: [u32; 9] = [1, 1, 1, 7, 2, 64, 1, 1, 30];
const ROUNDS: u32 = 10;

fn generation(channel_id: ChannelId, number: u32) -> Generation {
    let mut output_digest = [0; 32];
    // Each output was made twice.
    output_digest[..4].copy_from_slice(&(number / 2).to_le_bytes());
    let receipt = Receipt {
        channel: CHANNEL,
        opened_slot: 11,
        statement: u64::from(number / 500),
        position: number % 500,
        license: 0,
        units: 1,
        terms_number: 1,
        amount: 100,
        cumulative: u64::from(number + 1) * 100,
        work: Pubkey::new_from_array([9; 32]),
        request_digest: [10; 32],
        output_digest,
        issued_at: time(number),
    };
    Generation {
        channel_id,
        // Every key names a generation in each of the statements.
        idempotency_key: format!("key-{}", number % 500),
        part: 0,
        receipt: SignedReceipt::unsigned(receipt),
        voucher_expires_at: 17,
        voucher_signature: [18; 64],
        api_key: None,
        charged: 100,
    }
}

/// A clock that goes forward and is set back once.
fn time(number: u32) -> i64 {
    i64::from(if number < 600 { 1_000 + number } else { number })
}

async fn open(file: &Path) -> Store {
    let process = Process {
        url: "http://unused.invalid",
        lease: Duration::from_secs(10),
        moments: Arc::new(NoMoments),
        operator: SigningKey::from_bytes(&[8; 32]),
    };
    Store::open(&file.to_owned().into(), process).await.unwrap()
}

#[tokio::test]
async fn generations_are_found_by_every_key() {
    let world = World::new().await;
    let file = world.store();
    world.gateway.shutdown().await;
    let store = open(&file).await;
    let channel_id = store.newest_channel(&CHANNEL.to_bytes()).await.unwrap().unwrap();
    let lease = Lease { channel_id, epoch: 0 };
    let mut written = Vec::new();
    for count in BATCHES.repeat(ROUNDS as usize) {
        let first = written.len() as u32;
        let generations: Vec<_> =
            (first..first + count).map(|number| generation(channel_id, number)).collect();
        let change = Change::Generations { generations: generations.clone(), hold: None };
        let receipts = store.spend(lease, change, None).await.unwrap();
        written.extend(
            generations
                .into_iter()
                .zip(receipts)
                .map(|(one, receipt)| Generation { receipt, ..one }),
        );
        // A read applies the journal first: a batch of its own.
        assert!(store.count(channel_id, 0).await.unwrap() > 0);
    }
    assert_found(&store, channel_id, &written).await;
    store.close().await;
    drop(store);

    let mut tables =
        SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let runs = sqlx::query("SELECT COUNT(*) AS runs, SUM(count) AS generations FROM runs");
    let runs = runs.fetch_one(&mut tables).await.unwrap();
    assert_eq!(runs.get::<i64, _>("generations"), written.len() as i64);
    let count = runs.get::<i64, _>("runs");
    assert!((17..30).contains(&count), "{count}: more than are looked into at once, and few");
    let buckets = sqlx::query("SELECT COUNT(*) AS buckets FROM buckets");
    let buckets = buckets.fetch_one(&mut tables).await.unwrap();
    assert!(buckets.get::<i64, _>("buckets") > count, "some have several");
    // As in a store whose runs were not all written when the gateway was killed.
    for statement in [
        "DELETE FROM runs WHERE first > 300",
        "DELETE FROM buckets WHERE place > (SELECT MAX(first) + 1 FROM runs) << 16",
    ] {
        sqlx::query(statement).execute(&mut tables).await.unwrap();
    }
    let store = open(&file).await;
    assert_found(&store, channel_id, &written).await;
    // A tag alone matches no generation.
    let rename = "UPDATE generations SET idempotency_key = 'other' WHERE id = 6";
    sqlx::query(rename).execute(&mut tables).await.unwrap();
    assert!(store.named(channel_id, 0, "key-5").await.unwrap().is_empty());
    assert!(store.named(channel_id, 0, "other").await.unwrap().is_empty());
    store.close().await;
}

async fn assert_found(store: &Store, channel_id: ChannelId, written: &[Generation]) {
    for (number, one) in written.iter().enumerate() {
        let receipt = &one.receipt.receipt;
        let by_key = store.named(channel_id, receipt.statement, &one.idempotency_key).await;
        assert_eq!(by_key.unwrap(), std::slice::from_ref(one), "{number}");
        let by_receipt = store.by_receipt(&receipt.digest()).await.unwrap();
        assert_eq!(by_receipt.as_ref(), Some(one), "{number}");
        let twins = &written[number & !1..written.len().min((number & !1) + 2)];
        let by_output = store.by_output(&receipt.output_digest, 32).await.unwrap();
        assert!(by_output.iter().map(|(found, _)| found).eq(twins), "{number}");
        assert_eq!(store.by_output(&receipt.output_digest, 1).await.unwrap().len(), 1);
    }
    assert_eq!(store.by_receipt(&[1; 32]).await.unwrap(), None);
    assert!(store.by_output(&[1; 32], 32).await.unwrap().is_empty());
    assert!(store.named(channel_id, 99, "key-1").await.unwrap().is_empty());
    for (from, until) in
        [(None, None), (Some(650), Some(1_100)), (Some(1_599), None), (None, Some(1))]
    {
        let all = written.iter().map(|one| one.receipt.receipt.issued_at);
        let expected = all.filter(|at| {
            from.is_none_or(|from| from <= *at) && until.is_none_or(|until| *at < until)
        });
        let expected = expected.count() as u64;
        for channel_id in [None, Some(channel_id)] {
            let asked = UsageAsked { by: UsageBy::Channel, channel_id, from, until };
            let used: u64 =
                store.usage(&asked).await.unwrap().iter().map(|row| row.generations).sum();
            assert_eq!(used, expected, "{from:?} to {until:?}");
        }
    }
}
