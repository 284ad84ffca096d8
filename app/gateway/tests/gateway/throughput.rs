//! Prints measurements, one JSON object per line:
//! `cargo test --release --workspace --test gateway throughput:: -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use futures::future::join_all;
use motif_gateway::SettlePolicy;
use motif_sdk::{
    Pubkey,
    gateway::{GatewayClient, Payer, PayerOptions},
};
use serde_json::json;

use crate::world::{CHANNEL, World, voucher_key};

const FOR: Duration = Duration::from_secs(5);

/// Runs `count` channels at full speed; returns the number of generations and their times.
async fn load(world: &World, count: u8) -> Vec<Duration> {
    let client = GatewayClient::new(&world.gateway.url());
    let mut sessions = Vec::new();
    for number in 0..count {
        let mut account = world.chain.channel_account();
        let address = Pubkey::new_from_array([100 + number; 32]);
        account.channel.deposited = 1 << 60;
        world.chain.state().channels.insert(address, account.clone());
        let (client, options) = (client.clone(), PayerOptions::default());
        let session = Payer::open(client, address, &account, voucher_key(), options).await;
        sessions.push(session.unwrap());
    }
    let until = Instant::now() + FOR;
    let generate = |session: Payer| async move {
        let mut times = Vec::new();
        while Instant::now() < until {
            let begun = Instant::now();
            session.generate(0, 1, [1; 32], [2; 32]).await.unwrap();
            times.push(begun.elapsed());
        }
        times
    };
    let running = sessions.into_iter().map(|session| tokio::spawn(generate(session)));
    join_all(running).await.into_iter().flat_map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "a measurement"]
async fn durable_generations_per_second() {
    let world = World::with(|config| {
        config.settle = SettlePolicy { at_receipts: u32::MAX, ..config.settle };
    })
    .await;
    assert_eq!(world.state().await.channel.0, CHANNEL);
    for count in [1, 16, 128] {
        let mut times = load(&world, count).await;
        times.sort_unstable();
        let each_second = times.len() as u64 / FOR.as_secs();
        let p50 = times[times.len() / 2].as_micros();
        let p99 = times[times.len() * 99 / 100].as_micros();
        let figure = json!({
            "name": format!("gateway.durable_generations.{count}_channels"),
            "value": each_second,
            "unit": "1/s",
            "p50_microseconds": p50,
            "p99_microseconds": p99,
            "how": "HTTP over loopback, payers sign and verify in the same process",
        });
        println!("{figure}");
    }
}
