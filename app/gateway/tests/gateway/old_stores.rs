use std::path::Path;

use motif_sdk::{
    gateway::wire::{ReceiptParts, UsageBy},
    receipt::SignedReceipt,
};
use sqlx::{Row, SqlitePool, migrate::Migrator, query};

use crate::world::{CHANNEL, World, on_postgres_too};

/// Makes a store as the eleventh migration left it, on either database; constraints and indexes
/// aside.
pub const BACK_TO_ELEVEN: [&str; 6] = [
    "CREATE TABLE earlier AS SELECT channel_id, statement, position, idempotency_key, \
     substr(evidence, 66, 32) AS body_digest, license, units, terms_number, amount, cumulative, work, \
     substr(evidence, 66, 32) AS request_digest, substr(evidence, 34, 32) AS output_digest, \
     issued_at, substr(evidence, 98, 64) AS receipt_signature, \
     substr(evidence, 2, 32) AS receipt_digest, voucher_expires_at, \
     substr(evidence, 162, 64) AS voucher_signature, api_key, charged, part, \
     CASE WHEN length(evidence) > 225 THEN substr(evidence, 226) END AS receipt_bundle \
     FROM generations",
    "DROP TABLE generations",
    "ALTER TABLE earlier RENAME TO generations",
    "DROP TABLE runs",
    "DROP TABLE buckets",
    "DELETE FROM _sqlx_migrations WHERE version >= 12",
];

/// The gateway's migrations, up to and with one of them.
async fn up_to(version: i64) -> Migrator {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/gateway"));
    let all = Migrator::new(folder).await.unwrap();
    let migrations = all.iter().filter(|migration| migration.version <= version);
    Migrator::with_migrations(migrations.cloned().collect())
}

/// A generation as the first migration has it.
async fn insert(pool: &SqlitePool, channel: i64, statement: i64, position: i64, cumulative: i64) {
    query(
        "INSERT INTO generations VALUES (?1, ?2, ?3, ?1 || '-' || ?2 || '-' || ?3, zeroblob(32), \
         0, 1, 1, 100, ?4, zeroblob(32), zeroblob(32), zeroblob(32), 0, zeroblob(64), \
         zeroblob(32), 0, zeroblob(64))",
    )
    .bind(channel)
    .bind(statement)
    .bind(position)
    .bind(cumulative)
    .execute(pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn old_generations_keep_charges() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.sqlite");
    let pool = SqlitePool::connect(&format!("sqlite:{}?mode=rwc", file.display())).await.unwrap();
    up_to(1).await.run(&pool).await.unwrap();
    for (id, address) in [(1, "01"), (2, "02")] {
        let channel = "INSERT INTO channels VALUES (?1, unhex(?2), 11, zeroblob(1))";
        query(channel).bind(id).bind(address.repeat(32)).execute(&pool).await.unwrap();
    }
    // Fees are rounded down on totals: of three at 100 and 2.5 %, the second adds 103.
    for (channel, statement, position, cumulative) in
        [(1, 0, 0, 102), (2, 0, 0, 50), (1, 0, 1, 205), (1, 1, 0, 307), (2, 1, 0, 60)]
    {
        insert(&pool, channel, statement, position, cumulative).await;
    }
    up_to(i64::MAX).await.run(&pool).await.unwrap();
    let rows = query(
        "SELECT channel_id, statement, position, charged, part, api_key FROM generations \
         ORDER BY channel_id, statement, position",
    );
    let rows = rows.fetch_all(&pool).await.unwrap();
    let charged: Vec<i64> = rows.iter().map(|row| row.get("charged")).collect();
    assert_eq!(charged, [102, 103, 102, 50, 10]);
    let total: i64 = charged.iter().sum();
    assert_eq!(total, 307 + 60, "what was charged is what was vouched for");
    assert!(rows.iter().all(|row| row.get::<i64, _>("part") == 0));
    assert!(rows.iter().all(|row| row.get::<Option<Vec<u8>>, _>("api_key").is_none()));
}

#[tokio::test]
async fn old_generations_are_found() {
    let world = World::new().await;
    let mut paid = Vec::new();
    for number in 0..6_u32 {
        if number == 4 {
            world.settle().await.unwrap();
        }
        let (key, request) = (format!("generation-{number}"), world.next_request().await);
        let answer = world.generate(&key, &request).await;
        answer.assert_ok();
        paid.push((key, request, answer.body));
    }
    let used = world.client().usage(&CHANNEL, UsageBy::Day, None, None).await.unwrap();
    world.run_on_database(&BACK_TO_ELEVEN).await;
    let world = world.restarted(true).await;
    let after = world.client().usage(&CHANNEL, UsageBy::Day, None, None).await.unwrap();
    assert_eq!(after, used);
    for (number, (key, request, body)) in paid.iter().enumerate() {
        assert_eq!(world.generate(key, request).await.body, *body, "{key}");
        let parts: ReceiptParts = serde_json::from_slice(body).unwrap();
        let digest = SignedReceipt::from(&parts).receipt.digest();
        // The last two are in a statement that has not settled: a receipt that is known.
        let proof = world.client().proof(&digest).await;
        assert_eq!(proof.is_ok(), number < 4, "{key}");
        if let Err(error) = proof {
            assert!(error.to_string().contains("not settled"), "{error}");
        }
    }
}

on_postgres_too! {
    old_generations_are_found,
}
