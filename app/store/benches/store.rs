//! Generations made durable and applied to the tables per second. Prints one JSON object per number
//! of concurrent callers. `cargo bench -p motif-store --bench store`
//!
//! `STORE_BENCH_FOLDER` is a folder on the disk to measure (default: a temporary one).
//! `STORE_BENCH_GENERATIONS` is the number of generations of each measurement (default: 100,000).
#![allow(clippy::unwrap_used, reason = "a benchmark stops at an unexpected result")]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use ed25519_dalek::SigningKey;
use motif_interface::{
    Pubkey,
    receipt::{Receipt, SignedReceipt},
};
use motif_store::{Change, ChannelId, Generation, Lease, Store, StoreOptions};
use tempfile::TempDir;

const CALLERS: [u32; 3] = [1, 16, 128];
const GENERATIONS: u32 = 100_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let count = std::env::var("STORE_BENCH_GENERATIONS").ok();
    let count = count.map_or(GENERATIONS, |count| count.parse().unwrap());
    for callers in CALLERS {
        let folder = folder();
        let store = StoreOptions::new(SigningKey::from_bytes(&[8; 32]));
        let store = store.open_file(&folder.path().join("store")).await.unwrap();
        // A single caller waits for one fsync per generation.
        let count = if callers == 1 { count / 20 } else { count };
        measure(&store, callers, count).await;
        store.close().await;
    }
}

fn folder() -> TempDir {
    match std::env::var_os("STORE_BENCH_FOLDER").map(PathBuf::from) {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    }
}

async fn measure(store: &Store, callers: u32, count: u32) {
    let mut tasks = Vec::new();
    let began = Instant::now();
    for caller in 0..callers {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let address = [caller as u8 + 1; 32];
            let id = store.queries().register_channel(&address, 11, &[]).await.unwrap();
            let lease = Lease { channel_id: id, epoch: 0 };
            for position in 0..count / callers {
                let generations = vec![generation(id, address, position)];
                let change = Change::Generations { generations, holds: Vec::new() };
                store.writer().issue(lease, change, None).await.unwrap();
            }
            id
        }));
    }
    let mut channel_id = ChannelId(0);
    for task in tasks {
        channel_id = task.await.unwrap();
    }
    let durable = began.elapsed();
    // A query waits until the tables have everything.
    assert_eq!(store.queries().count(channel_id, 0).await.unwrap(), count / callers);
    let applied = began.elapsed();
    let rate = |time: Duration| f64::from(count / callers * callers) / time.as_secs_f64();
    let (durable, applied) = (rate(durable), rate(applied));
    println!(
        r#"{{"callers":{callers},"generations":{count},"durable_per_second":{durable:.0},"applied_per_second":{applied:.0}}}"#
    );
}

fn generation(channel_id: ChannelId, address: [u8; 32], position: u32) -> Generation {
    let mut output_digest = address;
    output_digest[..4].copy_from_slice(&position.to_le_bytes());
    let receipt = Receipt {
        channel: Pubkey::new_from_array(address),
        opened_slot: 11,
        statement: 0,
        position,
        license: 0,
        units: 1,
        terms_number: 1,
        amount: 100,
        cumulative: u64::from(position + 1) * 100,
        work: Pubkey::new_from_array([9; 32]),
        request_digest: [10; 32],
        output_digest,
        issued_at: 1_800_000_000,
    };
    Generation {
        channel_id,
        idempotency_key: format!("generation-{position}"),
        part: 0,
        receipt: SignedReceipt::unsigned(receipt),
        voucher_key: Pubkey::new_from_array([17; 32]),
        voucher_expires_at: 1_800_003_600,
        voucher_signature: [18; 64],
        api_key: None,
        charged: 100,
    }
}
