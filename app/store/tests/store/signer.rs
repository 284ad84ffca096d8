//! Receipt signers in another process that do not answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::world::{generation, open, register};
use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use motif_interface::{
    Pubkey,
    payments::{ReceiptKey, ReceiptKeys},
};
use motif_signer::{LocalSigner, OperatorSigner, Purpose, SignError};
use motif_store::{
    Change, ChannelId, Hold, Issued, Item, Lease, ReceiptSigner, Store, StoreError, StoreOptions,
};

/// Signer that can be told not to answer.
#[derive(Debug)]
struct Switched {
    local: LocalSigner,
    is_silent: AtomicBool,
}

impl Switched {
    fn new() -> Arc<Self> {
        let local = LocalSigner::from(SigningKey::from_bytes(&[8; 32]));
        Arc::new(Self { local, is_silent: AtomicBool::new(false) })
    }

    fn is_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::Relaxed);
    }
}

#[async_trait]
impl OperatorSigner for Switched {
    fn public_key(&self) -> Pubkey {
        self.local.public_key()
    }

    async fn sign(&self, purpose: Purpose, messages: &[&[u8]]) -> Result<Vec<[u8; 64]>, SignError> {
        if self.is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await; // as another process, it is waited for
        self.local.sign(purpose, messages).await
    }
}

fn issue(store: &Store, lease: Lease, number: u32) -> Issued {
    let generations = vec![generation(lease.channel_id, number)];
    store.writer().issue(lease, Change::Generations { generations, holds: Vec::new() }, None)
}

fn hold(channel_id: ChannelId) -> Change {
    let hold =
        Hold { item: Item { license: 0, units: 1 }, request_digest: [6; 32], expires_at: 100 };
    Change::HoldPlaced { channel_id, id: [7; 32], hold, api_key: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_signer_delays_others_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let switched = Switched::new();
    let keys = ReceiptKeys::sole(switched.public_key());
    let signer = ReceiptSigner::new(vec![switched.clone()], keys);
    let store = StoreOptions::new(signer.clone()).open_file(&file).await.unwrap();
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    let first = issue(&store, lease, 0).await.unwrap();
    assert!(first[0].verifies(&switched.public_key()));

    switched.is_silent(true);
    let began = Instant::now();
    let unsigned = issue(&store, lease, 1);
    tokio::time::sleep(Duration::from_millis(200)).await; // the writer waits for its signature
    let other = Lease { channel_id: ChannelId(channel_id.0 + 1), epoch: 0 };
    let barrier = store.writer().write_channel(other, Change::Barrier);
    let later = issue(&store, lease, 2);
    assert!(matches!(unsigned.await, Err(StoreError::Unsigned(SignError::Timeout { .. }))));
    barrier.await.unwrap();
    assert!(matches!(later.await, Err(StoreError::Unsigned(_))), "decided on top of the first");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());

    // The signer is not asked again for a while, so that nothing else waits.
    let began = Instant::now();
    let next = Lease { epoch: 1, ..lease };
    assert!(signer.outage().is_some());
    assert!(matches!(issue(&store, next, 1).await, Err(StoreError::Unsigned(_))));
    store.writer().probe().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(store.writer().failure().is_none());

    switched.is_silent(false);
    while signer.outage().is_some() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // What an ended lease decided is refused, its holds too; a later one continues.
    assert!(matches!(issue(&store, next, 1).await, Err(StoreError::Unsigned(_))));
    let held = store.writer().write_channel(lease, hold(channel_id)).await;
    assert!(matches!(held, Err(StoreError::Unsigned(_))));
    let last = Lease { epoch: 2, ..lease };
    let receipts = issue(&store, last, 1).await.unwrap();
    assert!(receipts[0].verifies(&switched.public_key()));
    store.close().await;
    drop(store); // unlocks the file

    let store = open(&file).await;
    assert_eq!(store.queries().count(channel_id, 0).await.unwrap(), 2);
    store.close().await;
}

#[tokio::test]
async fn receipt_key_follows_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let local = |seed| LocalSigner::from(SigningKey::from_bytes(&[seed; 32]));
    let [present, next] = [local(8), local(9)].map(|signer| signer.public_key());
    let mut keys = ReceiptKeys::sole(present);
    let signer = ReceiptSigner::new(vec![Arc::new(local(8)), Arc::new(local(9))], keys.clone());
    let store = StoreOptions::new(signer.clone());
    let store = store.open_file(&folder.path().join("store")).await.unwrap();
    let lease = Lease { channel_id: register(&store).await, epoch: 0 };
    // Generation n is issued at second 1,000 + n.
    assert!(issue(&store, lease, 0).await.unwrap()[0].verifies(&present));
    let rotated = ReceiptKey { key: next, valid_from: 1_002 };
    keys.keys.push(rotated);
    signer.set_keys(&keys);
    assert!(issue(&store, lease, 1).await.unwrap()[0].verifies(&present));
    let receipt = issue(&store, lease, 2).await.unwrap()[0];
    assert!(receipt.verifies(&next) && receipt.verifies_with(&keys));
    // A key that this process does not have: nothing is signed with another one.
    let absent = Pubkey::new_from_array([5; 32]);
    keys.keys.push(ReceiptKey { key: absent, valid_from: 1_003 });
    signer.set_keys(&keys);
    let missing = issue(&store, lease, 3).await.unwrap_err();
    assert!(
        matches!(missing, StoreError::Unsigned(SignError::KeyNotConfigured(key)) if key == absent)
    );
    store.close().await;
}
