//! Changes that are written twice, and frames that the tables reject.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
};

use motif_interface::channel::{Settlement, StatementRecord};
use motif_store::{
    Change, ChannelId, Expense, ExpenseKind, Failpoint, Failpoints, Generation, Hold, Item, KeyId,
    Lease, Outcome, SaleEvent, Scopes, SettledStatement, Store, StoreError, StoredKey,
    StoredTransaction,
};
use motif_wire::{HoldState, sale::SaleState};
use sqlx::{AssertSqlSafe, Connection, Row, query};
use tempfile::TempDir;

use crate::{
    sales::sale,
    world::{CHANNEL, OPENED_SLOT, edit, generation, open, options, register, tables},
};

/// Failpoint hook that blocks the tables before they commit journal records.
#[derive(Default)]
struct BlockedTables {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl BlockedTables {
    fn unblock(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl Failpoints for BlockedTables {
    fn hit(&self, failpoint: Failpoint) {
        if failpoint == Failpoint::Applying {
            // Tasks that are queued at this thread continue at others.
            tokio::task::block_in_place(|| {
                let is_open = self.is_open.lock().unwrap();
                drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
            });
        }
    }
}

/// Runs `write` on a store with blocked tables. Returns its files as a kill leaves them.
pub async fn killed_after(write: impl AsyncFnOnce(&Store, ChannelId)) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let failpoints = Arc::new(BlockedTables::default());
    let store = options().failpoints(failpoints.clone()).open_file(&file).await.unwrap();
    let channel_id = register(&store).await;
    write(&store, channel_id).await;
    let copy = copy(&file, &folder.path().join("copy"));
    failpoints.unblock();
    store.close().await;
    (folder, copy)
}

/// Copies the files of a store.
pub fn copy(file: &Path, to: &Path) -> PathBuf {
    let named = |path: &Path, extension: &str| format!("{}{extension}", path.display());
    for extension in ["", "-wal", ".journal-0", ".journal-1"] {
        let from = named(file, extension);
        if Path::new(&from).exists() {
            std::fs::copy(from, named(to, extension)).unwrap();
        }
    }
    to.to_owned()
}

async fn issue(store: &Store, generation: Generation) {
    let lease = Lease { channel_id: generation.channel_id, epoch: 0 };
    let change = Change::Generations { generations: vec![generation], holds: Vec::new() };
    store.writer().issue(lease, change, None).await.unwrap();
}

fn hold(units: u32) -> Hold {
    Hold { item: Item { license: 0, units }, request_digest: [6; 32], expires_at: 100 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journalled_generations_survive_kill() {
    let write = async |store: &Store, channel_id| {
        for number in 0..5 {
            issue(store, generation(channel_id, number)).await;
        }
    };
    let (_folder, file) = killed_after(write).await;
    let store = open(&file).await;
    let channel_id = register(&store).await;
    assert_eq!(store.queries().count(channel_id, 0).await.unwrap(), 5);
    store.close().await;
}

#[tokio::test]
async fn repeated_hold_keeps_first_state() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    let place =
        |units| Change::HoldPlaced { channel_id, id: [7; 32], hold: hold(units), api_key: None };
    for change in [place(1), Change::HoldReleased { id: [7; 32] }, place(2)] {
        store.writer().write_channel(lease, change).await.unwrap();
    }
    let stored = store.queries().hold(channel_id, &[7; 32]).await.unwrap().unwrap();
    assert_eq!((stored.hold, stored.state), (hold(1), HoldState::Released));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replayed_frame_changes_nothing() {
    let write = async |store: &Store, channel_id| {
        issue(store, generation(channel_id, 0)).await;
        issue(store, generation(channel_id, 1)).await;
    };
    let (_folder, file) = killed_after(write).await;
    open(&file).await.close().await;
    // Makes the tables' recorded progress older than the tables.
    let rewind = "UPDATE journal SET applied = 0";
    edit(&file, query(rewind)).await.unwrap();
    let again = copy(&file, &file.with_file_name("again"));
    let store = open(&again).await;
    let channel_id = register(&store).await;
    assert_eq!(store.queries().count(channel_id, 0).await.unwrap(), 2);
    let found = store.lookup().by_key(channel_id, 0, "key-1").await.unwrap();
    assert_eq!(found.len(), 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_frame_is_dropped_if_allowed() {
    let write = async |store: &Store, channel_id| {
        issue(store, generation(channel_id, 0)).await;
        let other = Generation { charged: 7, ..generation(channel_id, 0) };
        let other = Generation { voucher_signature: [19; 64], ..other };
        issue(store, other).await;
        issue(store, generation(channel_id, 1)).await;
    };
    let (_folder, file) = killed_after(write).await;
    let error = options().open_file(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::BadFrame { number: 2, .. }), "{error}");
    assert!(error.to_string().contains("positions 0 to 0, 7 base units"), "{error}");
    let again = copy(&file, &file.with_file_name("again"));
    let store = options().skip_frames(&[2]).open_file(&again).await.unwrap();
    let channel_id = register(&store).await;
    let left = store.queries().generations(channel_id, 0, 10, 0).await.unwrap();
    let charged: Vec<_> = left.iter().map(|one| one.charged).collect();
    assert_eq!(charged, [100, 100]);
    store.close().await;
}

const KEY: KeyId = KeyId([7; 8]);

/// Returns all rows of the tables, as text.
async fn rows(file: &Path) -> Vec<String> {
    let mut tables = tables(file).await;
    let names = query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    let names = names.fetch_all(&mut tables).await.unwrap();
    let mut all = Vec::new();
    for name in names.iter().map(|row| row.get::<String, _>("name")) {
        let columns = query(AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{name}')")));
        let columns = columns.fetch_all(&mut tables).await.unwrap();
        let quoted = columns.iter().map(|row| format!("quote({})", row.get::<String, _>("name")));
        let columns = quoted.collect::<Vec<_>>().join(" || ', ' || ");
        let values =
            query(AssertSqlSafe(format!("SELECT {columns} AS line FROM {name} ORDER BY 1")));
        let values = values.fetch_all(&mut tables).await.unwrap();
        // The number of the last frame is raised by each of them.
        let lines = values.iter().filter(|_| !["journal", "_sqlx_migrations"].contains(&&*name));
        all.extend(lines.map(|row| format!("{name}: {}", row.get::<String, _>("line"))));
    }
    tables.close().await.unwrap();
    all
}

fn key() -> StoredKey {
    StoredKey {
        id: KEY,
        name: "a platform".into(),
        token_digest: [1; 32],
        scopes: Scopes::default(),
        channels: Vec::new(),
        budget: None,
        spent: 0,
        created_at: 1,
        expires_at: None,
        revoked_at: None,
    }
}

fn by_key(channel_id: ChannelId, number: u32) -> Generation {
    Generation { api_key: Some(KEY), ..generation(channel_id, number) }
}

/// Returns a change of every kind that the journal takes.
fn journalled(channel_id: ChannelId) -> Vec<Change> {
    let place = |id, units| Change::HoldPlaced {
        channel_id,
        id: [id; 32],
        hold: hold(units),
        api_key: Some(KEY),
    };
    let generations = |numbers: std::ops::Range<u32>, hold: Option<u8>| Change::Generations {
        generations: numbers.map(|number| by_key(channel_id, number)).collect(),
        holds: hold.map(|id| [id; 32]).into_iter().collect(),
    };
    vec![
        place(1, 1),
        place(2, 2),
        generations(0..1, Some(1)),
        Change::HoldReleased { id: [2; 32] },
        place(3, 3),
        generations(1..4, None),
    ]
}

/// Returns a change of every kind that goes into the tables directly.
fn direct(channel_id: ChannelId) -> Vec<Change> {
    let transaction = |signature| StoredTransaction {
        channel_id,
        statement: 0,
        signature: [signature; 64],
        bytes: vec![1],
        last_valid_height: 9,
        receipts_root: [2; 32],
    };
    let settled = |statement| SettledStatement {
        entries: vec![0; 6],
        record: StatementRecord {
            channel: CHANNEL,
            opened_slot: OPENED_SLOT,
            settlement: Settlement { statement, prices: 4, fee: 0, cumulative: 4 },
            statement_digest: [3; 32],
            receipts_root: None,
        },
        is_proven: true,
        settled_at: 11,
    };
    let (entries, account) = (vec![0; 6], vec![9]);
    vec![
        Change::KeyCreated(Box::new(key())),
        Change::KeyRevoked { id: KEY, revoked_at: 5 },
        Change::Cut { channel_id, number: 0, entries, prices: 4, cut_at: 7 },
        Change::Transaction(Box::new(transaction(1))),
        Change::Outcome { signature: [1; 64], outcome: Outcome::Landed },
        Change::Observed { channel_id, account, settled: vec![settled(0)] },
        Change::Settled { channel_id, settled: vec![settled(1)] },
        Change::Budget { channel_id, budget: Some(8) },
        Change::Spent(Expense {
            signature: [1; 64],
            kind: ExpenseKind::Settle,
            lamports: 10_000,
            spent_at: 12,
        }),
        Change::HoldsPruned { before: 50 },
        Change::SaleSent(Box::new(sale(1))),
        Change::Sale { payment: [1; 32], event: SaleEvent::Refused { at: 13 } },
        Change::Sale {
            payment: [1; 32],
            event: SaleEvent::Made {
                output_digest: [4; 32],
                request_digest: [5; 32],
                name: "order-0000000002".to_owned(),
            },
        },
        Change::Sale {
            payment: [1; 32],
            event: SaleEvent::Ended { state: SaleState::Landed, at: 13 },
        },
        Change::Sale { payment: [1; 32], event: SaleEvent::Delivered { at: 14 } },
        Change::Sale { payment: [1; 32], event: SaleEvent::Told { call: [15; 16] } },
        Change::Barrier,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_replayed_twice_changes_nothing() {
    let write = async |store: &Store, channel_id| {
        store.writer().write(Change::KeyCreated(Box::new(key()))).await.unwrap();
        let lease = Lease { channel_id, epoch: 0 };
        for change in journalled(channel_id) {
            store.writer().write_channel(lease, change).await.unwrap();
        }
    };
    let (_folder, file) = killed_after(write).await;
    open(&file).await.close().await;
    let once = rows(&file).await;
    assert!(once.iter().any(|row| row.starts_with("api_keys") && row.contains("400")), "{once:?}");
    // Each record alone, and all together.
    for applied in (0..8).rev() {
        let again = copy(&file, &file.with_file_name(format!("again-{applied}")));
        let rewind = query("UPDATE journal SET applied = MIN(applied, $1)").bind(applied);
        edit(&again, rewind).await.unwrap();
        open(&again).await.close().await;
        assert_eq!(rows(&again).await, once, "from frame {}", applied + 1);
    }
}

#[tokio::test]
async fn every_change_written_twice_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = open(&file).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    for change in direct(channel_id) {
        let kind = format!("{change:?}");
        store.writer().write_channel(lease, change.clone()).await.unwrap();
        let once = rows(&file).await;
        store.writer().write_channel(lease, change).await.unwrap();
        assert_eq!(rows(&file).await, once, "{kind}");
    }
    // All of them again, in their order, as a group that is repeated.
    let once = rows(&file).await;
    for change in direct(channel_id) {
        store.writer().write_channel(lease, change).await.unwrap();
    }
    assert_eq!(rows(&file).await, once);
    store.close().await;
}

#[tokio::test]
async fn spent_stays_at_end_of_range() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = open(&file).await;
    let channel_id = register(&store).await;
    store.writer().write(Change::KeyCreated(Box::new(key()))).await.unwrap();
    let near = "UPDATE api_keys SET spent = 9223372036854775807 - 150";
    edit(&file, query(near)).await.unwrap();
    for number in 0..2 {
        issue(&store, by_key(channel_id, number)).await;
    }
    let keys = store.queries().api_keys().await.unwrap();
    assert_eq!(keys[0].spent, i64::MAX as u64);
    store.close().await;
    let store = open(&copy(&file, &file.with_file_name("again"))).await;
    assert_eq!(store.queries().api_keys().await.unwrap()[0].spent, i64::MAX as u64);
    store.close().await;
}

#[tokio::test]
async fn value_beyond_range_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = open(&file).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    let budget = |budget| Change::Budget { channel_id, budget: Some(budget) };
    let refused = store.writer().write_channel(lease, budget(1 << 63)).await.unwrap_err();
    assert!(matches!(refused, StoreError::OutOfRange("budget")), "{refused}");
    let mut beyond = generation(channel_id, 0);
    beyond.charged = u64::MAX;
    let change = Change::Generations { generations: vec![beyond], holds: Vec::new() };
    let refused = store.writer().issue(lease, change, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::OutOfRange("charged")), "{refused}");
    store.writer().write_channel(lease, budget((1 << 63) - 1)).await.unwrap();
    issue(&store, generation(channel_id, 0)).await;
    // The tables have their own bounds.
    let negative = "UPDATE api_keys SET spent = -1";
    store.writer().write(Change::KeyCreated(Box::new(key()))).await.unwrap();
    assert!(edit(&file, query(negative)).await.is_err());
    let real = "UPDATE api_keys SET spent = 9.5e18";
    assert!(edit(&file, query(real)).await.is_err());
    store.close().await;
}

#[tokio::test]
async fn expired_holds_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    for change in journalled(channel_id) {
        let change = match change {
            Change::HoldPlaced { channel_id, id, hold, .. } => {
                Change::HoldPlaced { channel_id, id, hold, api_key: None }
            }
            Change::Generations { .. } => continue,
            change => change,
        };
        store.writer().write_channel(lease, change).await.unwrap();
    }
    // They expire at 100.
    for (before, left) in [(100, 3), (101, 0)] {
        store.writer().write(Change::HoldsPruned { before }).await.unwrap();
        let mut found = 0;
        for id in 1..=3 {
            found += store.queries().hold(channel_id, &[id; 32]).await.unwrap().iter().count();
        }
        assert_eq!(found, left, "before {before}");
    }
    store.close().await;
}
