//! Recognition of works: `just bench-index` prints one JSON object per line. Fingerprints are
//! random, so each is similar only to its own copies.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_interface::licensing::Fingerprint;
use motif_sdk::{
    Pubkey,
    client::Client,
    fingerprint::{Metric, Scheme},
    licensing::Work,
    recognition::{Index, Registered, snapshot},
};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const WORKS: usize = 1_000_000;
const ON_CHAIN: usize = 100_000;
const CROWD: usize = 100_000;
const LOOKUPS: usize = 4_000;
const COMPARED: usize = 400;
/// Fingerprints of a query for a picture.
const PROBES: usize = 41;
const NO_DIGEST: [u8; 32] = [0xEE; 32];

fn main() {
    let mut random = StdRng::seed_from_u64(7);
    let how = "random fingerprints; half the lookups are of works with 0 to 31 bits changed";
    let works: Vec<_> = (0..WORKS).map(|_| work(&mut random, Scheme::ImageBlocks)).collect();
    let (index, took) = timed(|| Index::new(works.clone()));
    say("index of 1,000,000 works, built", took.as_secs_f64(), "s", None, "from memory");
    say("memory with it", resident_megabytes(), "MB", None, "resident, this program in all");

    lookups("look-alikes among 1,000,000", &index, &works, &mut random, Some(100.0), how);
    let questions: Vec<_> = (0..LOOKUPS / 10)
        .map(|_| {
            let known = works[random.random_range(0..WORKS)].fingerprint;
            let probes: Vec<_> = (0..PROBES).map(|_| changed(&known, &mut random)).collect();
            timed(|| index.recognise([NO_DIGEST], &probes)).1
        })
        .collect();
    let how = "a picture's question: 41 fingerprints of 0 to 31 changed bits each";
    say("a picture among 1,000,000, p50", micros(&questions, 50), "us", None, how);
    let (mut found, mut there) = (0, 0);
    for _ in 0..COMPARED {
        let near = changed(&works[random.random_range(0..WORKS)].fingerprint, &mut random);
        let (indexed, scanned) = index.recall(&near);
        (found, there) = (found + indexed, there + scanned);
    }
    let recall = found as f64 / there as f64;
    let met = found == there && there >= COMPARED;
    line(
        "recall of the index",
        json!(recall),
        "of 1",
        Some((json!(1.0), met)),
        "everything within \
        the radius, against comparing with all 1,000,000, in this run",
    );

    let digests: Vec<_> = (0..LOOKUPS)
        .map(|_| {
            let digest = works[random.random_range(0..WORKS)].content_digest;
            let (recognised, took) = timed(|| index.recognise([digest], &[]));
            assert_eq!(recognised.exact.len(), 1);
            took
        })
        .collect();
    say("exact content among 1,000,000, p50", micros(&digests, 50), "us", None, "by digest");

    let folder = std::env::temp_dir().join(format!("motif-bench-{}", std::process::id()));
    let (written, took) = timed(|| snapshot::write(&folder, &[1; 32], &works));
    written.unwrap();
    say("snapshot of 1,000,000 works, written", took.as_secs_f64(), "s", None, "synced");
    let (read, took) = timed(|| Index::new(snapshot::read(&folder, &[1; 32]).unwrap()));
    say("snapshot of 1,000,000 works, read and indexed", took.as_secs_f64(), "s", None, "");
    std::fs::remove_file(folder).unwrap();
    drop(read);

    let alike = works[0].fingerprint;
    let crowd = (0..CROWD)
        .map(|_| Registered { fingerprint: alike, ..work(&mut random, Scheme::ImageBlocks) });
    let crowded = Index::new(works.iter().copied().chain(crowd).collect());
    let crowd: Vec<_> = (0..LOOKUPS)
        .map(|_| {
            let (recognised, took) = timed(|| crowded.recognise([NO_DIGEST], &[alike]));
            assert!(recognised.is_truncated && recognised.alike.len() == Index::MAX_MATCHES);
            took
        })
        .collect();
    let how = "1,000,000 works and 100,000 more with the fingerprint of the query";
    say("look-alikes in a crowd, p50", micros(&crowd, 50), "us", None, how);
    say("look-alikes in a crowd, p99", micros(&crowd, 99), "us", None, how);
    drop(crowded);

    for (name, scheme) in [
        ("texts like this among 1,000,000", Scheme::TextShingles),
        ("recordings like this among 1,000,000", Scheme::AudioSounds),
    ] {
        let known: Vec<_> = (0..WORKS).map(|_| work(&mut random, scheme)).collect();
        let index = Index::new(known.clone());
        let how = "random fingerprints; half the lookups are of works with changed parts";
        lookups(name, &index, &known, &mut random, Some(100.0), how);
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(start_from_chain(&works[..ON_CHAIN]));
}

fn lookups(
    name: &str,
    index: &Index,
    works: &[Registered],
    random: &mut StdRng,
    goal: Option<f64>,
    how: &str,
) {
    let took: Vec<_> = (0..LOOKUPS)
        .map(|number| {
            let known = works[random.random_range(0..works.len())].fingerprint;
            let probe = match number % 2 {
                0 => changed(&known, random),
                _ => Fingerprint { bits: random.random(), ..known },
            };
            timed(|| index.recognise([NO_DIGEST], &[probe])).1
        })
        .collect();
    say(&format!("{name}, p50"), micros(&took, 50), "us", goal, how);
    say(&format!("{name}, p99"), micros(&took, 99), "us", None, how);
}

/// Reads works as a starting gateway does, from a node with a prepared response.
async fn start_from_chain(works: &[Registered]) {
    let accounts: Vec<_> = works.iter().map(account).collect();
    let body = json!({ "jsonrpc": "2.0", "id": 0, "result": accounts }).to_string();
    let bytes = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\
         connection: close\r\n\r\n{body}"
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4_096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let began = Instant::now();
    let read = client.registered().await.unwrap();
    let read_in = began.elapsed();
    let index = Index::new(read);
    assert_eq!(index.len(), works.len());
    let how = format!("{bytes} bytes of JSON over loopback; the node's own time is not in it");
    say("100,000 works read from a node", read_in.as_secs_f64(), "s", None, &how);
    let all = began.elapsed().as_secs_f64();
    say("100,000 works read and indexed", all, "s", None, &how);
}

fn account(work: &Registered) -> serde_json::Value {
    let mut head = vec![0; Registered::HEAD_BYTES];
    head[..8].copy_from_slice(Work::DISCRIMINATOR);
    let (creator, digest) = (Work::CREATOR_OFFSET, Work::CONTENT_DIGEST_OFFSET);
    head[creator - 8..creator].copy_from_slice(&work.registered_at.to_le_bytes());
    head[digest..digest + 32].copy_from_slice(&work.content_digest);
    head[digest + 32..digest + 34].copy_from_slice(&work.fingerprint.scheme.to_le_bytes());
    head[digest + 34..].copy_from_slice(&work.fingerprint.bits);
    json!({
        "pubkey": work.work.to_string(),
        "account": {
            "lamports": 3_500_000, "owner": motif_sdk::licensing::PROGRAM_ID.to_string(), "executable": false,
            "rentEpoch": 0, "space": 385, "data": [BASE64_STANDARD.encode(head), "base64"],
        },
    })
}

fn work(random: &mut StdRng, scheme: Scheme) -> Registered {
    Registered {
        work: Pubkey::new_from_array(random.random()),
        registered_at: i64::from(random.next_u32()),
        content_digest: random.random(),
        fingerprint: Fingerprint { scheme: scheme as u16, bits: random.random() },
    }
}

/// Returns a fingerprint within the radius.
fn changed(fingerprint: &Fingerprint, random: &mut StdRng) -> Fingerprint {
    let mut changed = *fingerprint;
    match Scheme::from_number(fingerprint.scheme) {
        Some(scheme) if scheme.metric() == Metric::Parts => {
            for part in 0..random.random_range(0..=scheme.radius() as usize) {
                changed.bits[2 * part] ^= 1;
            }
        }
        _ => {
            for _ in 0..random.random_range(0..=31) {
                let bit = random.random_range(0..256);
                changed.bits[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
    changed
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = what();
    (done, began.elapsed())
}

fn micros(took: &[Duration], percentile: usize) -> f64 {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * percentile / 100].as_secs_f64() * 1e6
}

fn resident_megabytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(0.0) * 4_096.0 / 1e6
}

/// Prints a figure with a maximum as its goal.
fn say(name: &str, value: f64, unit: &str, goal: Option<f64>, how: &str) {
    let rounded = (value * 1_000.0).round() / 1_000.0;
    line(name, json!(rounded), unit, goal.map(|goal| (json!(goal), value <= goal)), how);
}

fn line(
    name: &str,
    value: serde_json::Value,
    unit: &str,
    goal: Option<(serde_json::Value, bool)>,
    how: &str,
) {
    let (goal, met) = goal.unzip();
    println!(
        "{}",
        json!({
            "name": name, "value": value, "unit": unit, "goal": goal, "met": met, "how": how,
        })
    );
}
