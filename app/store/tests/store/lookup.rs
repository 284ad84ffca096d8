//! Lookup of generations in a file with many batches of different sizes.

use motif_store::{Change, ChannelId, Generation, Lease, Store, UsageQuery};
use motif_wire::UsageBy;
use sqlx::{Row, query};
use tempfile::TempDir;

use crate::world::{edit, generation, open, register, tables};

/// Sizes of batches, repeated: enough of each size for small runs to be merged twice.
const BATCHES: [u32; 9] = [1, 1, 1, 7, 2, 64, 1, 1, 30];
const ROUNDS: u32 = 10;

/// Creates a store with the generations of all batches.
struct Filled {
    store: Store,
    channel_id: ChannelId,
    written: Vec<Generation>,
    folder: TempDir,
}

impl Filled {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("store")).await;
        let channel_id = register(&store).await;
        let lease = Lease { channel_id, epoch: 0 };
        let mut written = Vec::new();
        for count in BATCHES.repeat(ROUNDS as usize) {
            let first = written.len() as u32;
            let mut generations: Vec<_> =
                (first..first + count).map(|number| generation(channel_id, number)).collect();
            let change =
                Change::Generations { generations: generations.clone(), holds: Vec::new() };
            let receipts = store.writer().issue(lease, change, None).await.unwrap();
            generations.iter_mut().zip(receipts).for_each(|(one, receipt)| one.receipt = receipt);
            written.extend(generations);
            // A query applies the journal, so each batch is its own run.
            assert!(store.queries().count(channel_id, 0).await.unwrap() > 0);
        }
        Self { store, channel_id, written, folder }
    }

    async fn assert_found(&self) {
        let (lookup, written) = (self.store.lookup(), &self.written);
        for (number, one) in written.iter().enumerate() {
            let receipt = &one.receipt.receipt;
            let by_key =
                lookup.by_key(self.channel_id, receipt.statement, &one.idempotency_key).await;
            assert_eq!(by_key.unwrap(), std::slice::from_ref(one), "{number}");
            let by_receipt = lookup.by_receipt(&receipt.digest()).await.unwrap();
            assert_eq!(by_receipt.as_ref(), Some(one), "{number}");
            let twins = &written[number & !1..written.len().min((number & !1) + 2)];
            let by_output = lookup.by_output(&receipt.output_digest, 32).await.unwrap();
            assert!(by_output.iter().map(|(found, _)| found).eq(twins), "{number}");
            assert_eq!(lookup.by_output(&receipt.output_digest, 1).await.unwrap().len(), 1);
        }
        assert_eq!(lookup.by_receipt(&[1; 32]).await.unwrap(), None);
        assert!(lookup.by_output(&[1; 32], 32).await.unwrap().is_empty());
        assert!(lookup.by_key(self.channel_id, 99, "key-1").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn generations_are_found_by_every_key() {
    let filled = Filled::new().await;
    filled.assert_found().await;
    let again = Filled { store: reopened(&filled).await, ..filled };
    again.assert_found().await;
    again.store.close().await;
}

/// Closes the store and opens it again.
async fn reopened(filled: &Filled) -> Store {
    filled.store.close().await;
    // The lock is released with the last clone, so a new process is simulated by a copy of the
    // files.
    let copy = filled.folder.path().join("copy");
    for extension in ["", ".journal-0", ".journal-1"] {
        let name = |stem: &str| filled.folder.path().join(format!("{stem}{extension}"));
        std::fs::copy(name("store"), name("copy")).unwrap();
    }
    open(&copy).await
}

#[tokio::test]
async fn usage_counts_generations_of_period() {
    let filled = Filled::new().await;
    for (from, until) in
        [(None, None), (Some(650), Some(1_100)), (Some(1_599), None), (None, Some(1))]
    {
        let times = filled.written.iter().map(|one| one.receipt.receipt.issued_at);
        let expected = times.filter(|at| {
            from.is_none_or(|from| from <= *at) && until.is_none_or(|until| *at < until)
        });
        let expected = expected.count() as u64;
        for channel_id in [None, Some(filled.channel_id)] {
            let query = UsageQuery { by: UsageBy::Channel, channel_id, from, until };
            let rows = filled.store.reports().usage(&query).await.unwrap();
            let used: u64 = rows.iter().map(|row| row.generations).sum();
            assert_eq!(used, expected, "{from:?} to {until:?}");
        }
    }
}

#[tokio::test]
async fn small_runs_are_merged() {
    let filled = Filled::new().await;
    let mut tables = tables(&filled.folder.path().join("store")).await;
    let runs = query("SELECT COUNT(*) AS runs, SUM(count) AS generations FROM runs");
    let runs = runs.fetch_one(&mut tables).await.unwrap();
    assert_eq!(runs.get::<i64, _>("generations"), filled.written.len() as i64);
    let count = runs.get::<i64, _>("runs");
    assert!((17..30).contains(&count), "{count}: more than one query searches, and few");
    let buckets = query("SELECT COUNT(*) AS buckets FROM buckets");
    let buckets = buckets.fetch_one(&mut tables).await.unwrap();
    assert!(buckets.get::<i64, _>("buckets") > count, "some runs have several buckets");
}

#[tokio::test]
async fn equal_tag_of_other_key_is_not_found() {
    let filled = Filled::new().await;
    let rename = "UPDATE generations SET idempotency_key = 'other' WHERE id = 6";
    edit(&filled.folder.path().join("store"), query(rename)).await.unwrap();
    let lookup = filled.store.lookup();
    assert!(lookup.by_key(filled.channel_id, 0, "key-5").await.unwrap().is_empty());
    assert!(lookup.by_key(filled.channel_id, 0, "other").await.unwrap().is_empty());
}
