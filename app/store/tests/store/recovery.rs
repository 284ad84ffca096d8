//! Recovery of a channel and its newest voucher.

use ed25519_dalek::SigningKey;
use motif_interface::{
    Pubkey,
    voucher::{SignedVoucher, Statement, Voucher},
};
use motif_store::{Change, ChannelId, Generation, Lease, Store, StoreError};
use tempfile::TempDir;

use crate::world::{CHANNEL, CLUSTER, OPENED_SLOT, generation, open, register};

const COUNT: u32 = 3;

/// Writes generations, of which each one's voucher covers those before it.
async fn filled(key: &SigningKey) -> (TempDir, Store, ChannelId, SignedVoucher) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    let (mut statement, mut newest) = (Statement::default(), None);
    for number in 0..COUNT {
        statement.add(0, 1).unwrap();
        let mut one = generation(channel_id, number);
        let voucher = Voucher {
            cluster: CLUSTER,
            channel: CHANNEL,
            opened_slot: OPENED_SLOT,
            statement: 0,
            cumulative: one.receipt.receipt.cumulative,
            statement_digest: statement.digest(),
            expires_at: one.voucher_expires_at,
        };
        let voucher = SignedVoucher::sign(voucher, key);
        one.voucher_key = voucher.key;
        one.voucher_signature = voucher.signature;
        newest = Some(voucher);
        let change = Change::Generations { generations: vec![one], holds: Vec::new() };
        store.writer().issue(lease, change, None).await.unwrap();
    }
    (folder, store, channel_id, newest.unwrap())
}

#[tokio::test]
async fn newest_voucher_is_recovered_with_its_key() {
    // Neither of the keys in the channel's account, which are zeros.
    let key = SigningKey::from_bytes(&[4; 32]);
    let (_folder, store, channel_id, newest) = filled(&key).await;
    let channel = store.recovery().channel(channel_id).await.unwrap();
    assert_eq!(channel.open.voucher, Some(newest));
    assert_eq!(channel.open.receipts, COUNT);
    assert_eq!(channel.open.prices, u64::from(COUNT) * 100);
    assert_eq!(channel.keys.len(), COUNT as usize);
    store.close().await;
}

#[tokio::test]
async fn voucher_that_covers_less_is_corrupt() {
    let (_folder, store, channel_id, _) = filled(&SigningKey::from_bytes(&[4; 32])).await;
    // The newest voucher does not cover this one.
    let uncovered = Generation {
        voucher_key: Pubkey::new_from_array([16; 32]),
        ..generation(channel_id, COUNT)
    };
    let change = Change::Generations { generations: vec![uncovered], holds: Vec::new() };
    let lease = Lease { channel_id, epoch: 0 };
    store.writer().issue(lease, change, None).await.unwrap();
    let error = store.recovery().channel(channel_id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    store.close().await;
}
