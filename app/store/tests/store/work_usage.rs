//! Usage of works, against the table that it is added up from.

use std::time::{Duration, Instant};

use motif_interface::Pubkey;
use motif_store::{Change, Lease, Store, WorkUsageQuery};
use motif_wire::{WorkUsageBy, WorkUsageRow};

use crate::world::{edit, generation, open, register};

const GENERATIONS: u64 = 100_000;
const WORKS: u64 = 1_000;

/// Returns a work by its number.
fn work(number: u64) -> Pubkey {
    let text = format!("{number:032}");
    Pubkey::new_from_array(text.into_bytes().try_into().unwrap())
}

async fn report(store: &Store, work: Pubkey, by: WorkUsageBy) -> Vec<WorkUsageRow> {
    let query = WorkUsageQuery { work, by, from: None, until: None };
    store.reporting().works().report(&query).await.unwrap()
}

fn sum(rows: &[WorkUsageRow]) -> [u64; 4] {
    rows.iter().fold([0; 4], |sums, row| {
        [
            sums[0] + row.generations,
            sums[1] + row.prices.0,
            sums[2] + row.charged.0,
            sums[3] + row.settled.0,
        ]
    })
}

#[tokio::test]
async fn many_works_are_reported_to_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = open(&file).await;
    let channel_id = register(&store).await;
    store.close().await;
    drop(store);
    let insert = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers \
         WHERE n < {GENERATIONS} - 1) INSERT INTO generations SELECT n + 1, $1, n / 500, n % 500, \
         'key-' || (n % 500), 0, 0, 1, 1, 100 + n % 7, n, 102 + n % 7, n * 60, 17, \
         CAST(printf('%032d', n % {WORKS}) AS BLOB), NULL, zeroblob(257) FROM numbers"
    );
    let insert = sqlx::query(sqlx::AssertSqlSafe(insert)).bind(channel_id.0);
    edit(&file, insert).await.unwrap();
    // The first half is settled.
    let settled = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers \
        WHERE n < 99) INSERT INTO statements (channel_id, number, entries, prices, cut_at, settled_at) \
        SELECT $1, n, x'', 0, 1, 2 FROM numbers";
    edit(&file, sqlx::query(settled).bind(channel_id.0)).await.unwrap();

    let store = open(&file).await;
    let mut left = GENERATIONS;
    while left > 0 {
        let now_left = store.reporting().works().add_some().await.unwrap();
        assert!(now_left < left);
        left = now_left;
    }
    let mut all = [0; 4];
    for number in 0..WORKS {
        let rows = report(&store, work(number), WorkUsageBy::Day).await;
        let days: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        assert!(days.is_sorted() && days[0] == "1970-01-01" && days.len() > 60, "{days:?}");
        let [generations, prices, charged, settled] = sum(&rows);
        assert_eq!(sum(&report(&store, work(number), WorkUsageBy::Platform).await), sum(&rows));
        all = [all[0] + generations, all[1] + prices, all[2] + charged, all[3] + settled];
    }
    let price = |n: u64| 100 + n % 7;
    let prices = (0..GENERATIONS).map(price).sum::<u64>();
    let settled = (0..GENERATIONS / 2).map(price).sum::<u64>();
    assert_eq!(all, [GENERATIONS, prices, prices + 2 * GENERATIONS, settled]);

    let mut times: Vec<_> = Vec::new();
    for number in 0..21 {
        let begun = Instant::now();
        report(&store, work(number), WorkUsageBy::Day).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!("a report takes {:?}", times[10]);
    assert!(times[10] < Duration::from_millis(50), "{times:?}");
    store.close().await;
}

#[tokio::test]
async fn new_generations_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    for number in 0..3 {
        let generation = generation(channel_id, number);
        let work = generation.receipt.receipt.work;
        let change = Change::Generations { generations: vec![generation], holds: Vec::new() };
        store.writer().issue(lease, change, None).await.unwrap();
        let vouched = store.reporting().works().vouched(&[work]).await.unwrap();
        let amounts: Vec<_> = vouched[&work].values().copied().collect();
        assert_eq!(amounts, [u64::from(number + 1) * 100]);
    }
    let none = report(&store, work(1), WorkUsageBy::Use).await;
    assert!(none.is_empty());
    store.close().await;
}
