//! Answers stored per second, and bytes counted and cut per second. Prints one JSON object per
//! measurement. `cargo bench -p motif-paywall --bench answers`
#![allow(clippy::unwrap_used, reason = "a benchmark stops at an unexpected result")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use motif_paywall::{Answer, Counted, Spool};
use motif_sdk::gateway::wire::{Address, Digest};

/// Time that each measurement takes.
const DURATION: Duration = Duration::from_secs(2);
/// Answers that are stored at the same time.
const CONCURRENT: u64 = 16;
/// Size of an answer's body, bytes.
const BODY: usize = 64 << 10;

fn answer(number: u64) -> Answer {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_le_bytes());
    Answer {
        id: Digest(id),
        part: 0,
        channel: Address([1; 32].into()),
        license: 0,
        units: 1,
        request_digest: Digest([2; 32]),
        output_digest: Digest([3; 32]),
        target: "POST /images".into(),
        status: 200,
        headers: vec![("content-type".into(), "image/png".into())],
        expires_at: 0,
        kept_until: 0,
        is_sale: false,
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 40).unwrap());
    let (began, mut stored) = (Instant::now(), 0);
    while began.elapsed() < DURATION {
        let puts = (0..CONCURRENT).map(|place| {
            let answer = answer(stored + place);
            let room = spool.reserve(answer.channel, BODY as u64).unwrap();
            spool.put(answer, vec![place as u8; BODY].into(), room)
        });
        join_all(puts).await.into_iter().for_each(Result::unwrap);
        stored += CONCURRENT;
        spool.sweep(1).await;
    }
    let rate = stored as f64 / began.elapsed().as_secs_f64();
    println!(r#"{{"measured":"answers stored","bytes":{BODY},"per_second":{rate:.0}}}"#);

    let body = "data: a token of text\n\n".repeat(BODY);
    for (name, counted) in
        [("bytes", Counted::Bytes), ("lines", Counted::Lines), ("events", Counted::Events)]
    {
        let (began, mut bytes) = (Instant::now(), 0);
        while began.elapsed() < DURATION {
            black_box(counted.count(black_box(body.as_bytes())));
            bytes += body.len();
        }
        let rate = bytes as f64 / began.elapsed().as_secs_f64() / 1e6;
        println!(r#"{{"measured":"{name} counted","megabytes_per_second":{rate:.0}}}"#);
    }
}
