use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use motif_gateway::{SettlePolicy, config::Rate};
use motif_sdk::{
    Pubkey,
    gateway::{GatewayClient, Payer, PayerOptions},
};
use motif_testkit::{
    load::resident_bytes,
    world::{World, voucher_key},
};
use serde_json::json;

const CHANNELS: u8 = 16;
const LOOKS: u64 = 60;
/// Allowed growth in the second half, because allocators and histograms grow late.
const ROOM_BYTES: u64 = 8 << 20;

/// Runs load with settlements for a time; returns whether memory has stopped growing.
pub async fn run(seconds: u64) -> bool {
    let rate = Rate::per_second(0, 0);
    let world = World::unopened(|config| {
        (config.limits.address, config.limits.channel) = (rate, rate);
        let look_every = Duration::from_millis(500);
        config.settle = SettlePolicy { at_receipts: 2_000, look_every, ..config.settle };
    })
    .await;
    let (over, generations) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut payers = Vec::new();
    for number in 0..CHANNELS {
        let address = Pubkey::new_from_array([100 + number; 32]);
        let mut account = world.chain.channel_account();
        account.channel.deposited = 1 << 60;
        world.chain.state().channels.insert(address, account.clone());
        let client = GatewayClient::new(&world.gateway.url());
        let options = PayerOptions::default();
        let session = Payer::open(client, address, &account, voucher_key(), options).await;
        let (session, over) = (session.unwrap(), over.clone());
        let generations = generations.clone();
        payers.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                session.generate(0, 1, [1; 32], [2; 32]).await.unwrap();
                generations.fetch_add(1, Ordering::Relaxed);
            }
            session.cumulative().unwrap()
        }));
    }
    let (begun, mut resident) = (Instant::now(), Vec::new());
    let pause = Duration::from_millis((seconds * 1_000 / LOOKS).max(1));
    while begun.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(pause).await;
        // Transactions of the chain in memory do not count as the gateway's memory.
        world.chain.state().submitted.clear();
        let at = begun.elapsed().as_secs();
        resident.push((at, generations.load(Ordering::Relaxed), resident_bytes()));
    }
    over.store(true, Ordering::Relaxed);
    let paid: u64 = join_all(payers).await.into_iter().map(Result::unwrap).sum();
    let books = world.gateway.app().reconciler.reconcile().await.unwrap();
    let vouched: u64 = books.channels.iter().map(|channel| channel.vouched.0).sum();
    let settled: u64 = books.channels.iter().map(|channel| channel.settled_statements).sum();
    let most = |looks: &[(u64, u64, u64)]| looks.iter().map(|look| look.2).max().unwrap_or(0);
    let (_, after_warm_up) = resident.split_at(resident.len() / 4);
    let (early, late) = after_warm_up.split_at(after_warm_up.len() / 2);
    let growth = most(late).saturating_sub(most(early));
    let is_flat = growth <= ROOM_BYTES;
    let held = is_flat && books.exact && vouched == paid;
    let report = json!({
        "name": "gateway.soak",
        "seconds": begun.elapsed().as_secs(),
        "generations": generations.load(Ordering::Relaxed),
        "settled_statements": settled,
        "books_exact": books.exact && vouched == paid,
        "resident_bytes": resident.iter().map(|look| json!({
            "second": look.0, "generations": look.1, "bytes": look.2,
        })).collect::<Vec<_>>(),
        "growth_bytes": growth,
        "growth_goal_bytes": ROOM_BYTES,
        "met": is_flat,
        "how": "16 payers over loopback in the same process; most of the last three eighths \
                less most of the three before",
    });
    println!("{report}");
    world.gateway.shutdown().await;
    held
}
