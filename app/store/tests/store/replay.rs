//! Changes that are written twice, and frames that the tables reject.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
};

use motif_store::{
    Change, ChannelId, Failpoint, Failpoints, Generation, Hold, Item, Lease, Store, StoreError,
};
use motif_wire::HoldState;
use tempfile::TempDir;

use crate::world::{generation, open, options, register, tables};

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
            let is_open = self.is_open.lock().unwrap();
            drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
        }
    }
}

/// Runs `write` on a store with blocked tables. Returns its files as a kill leaves them.
async fn killed_after(write: impl AsyncFnOnce(&Store, ChannelId)) -> (TempDir, PathBuf) {
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
fn copy(file: &Path, to: &Path) -> PathBuf {
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
    let change = Change::Generations { generations: vec![generation], hold: None };
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
    let place = |units| Change::HoldPlaced { channel_id, id: [7; 32], hold: hold(units) };
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
    sqlx::query(rewind).execute(&mut tables(&file).await).await.unwrap();
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
