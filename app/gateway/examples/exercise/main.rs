//! Long runs, each against its own gateway on a chain in memory. Each prints a JSON report
//! as its last line; the exit code is 1 if a promise was broken.
//!
//! ```sh
//! cargo run --release --example exercise -- free-riding    # REQUESTS=1000000 SEED=1 PAYERS=16 CONFIGURATION=
//! cargo run --release --example exercise -- soak           # SECONDS_LONG=600
//! cargo run --release --example exercise -- slow-clients   # SOCKETS=5000; `ulimit -n` of 20,000
//! ```
#![allow(clippy::unwrap_used, reason = "a run fails by a panic")]

mod slow_clients;
mod soak;

use std::process::ExitCode;

use mimalloc::MiMalloc;
use motif_testkit::free_riding::{Configuration, Run};
use tokio::runtime::Runtime;

/// The allocator of the `motif` binary.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let runtime = Runtime::new().unwrap();
    let held = match std::env::args().nth(1).as_deref() {
        Some("free-riding") => runtime.block_on(free_riding()),
        Some("soak") => runtime.block_on(soak::run(number("SECONDS_LONG").unwrap_or(600))),
        Some("slow-clients") => {
            runtime.block_on(slow_clients::run(number("SOCKETS").unwrap_or(5_000)))
        }
        _ => {
            eprintln!("free-riding, soak or slow-clients?");
            false
        }
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn free_riding() -> bool {
    let payers = number("PAYERS").and_then(|number| u32::try_from(number).ok());
    let run = Run {
        most_payers: payers.unwrap_or(Configuration::MOST_PAYERS),
        seed: number("SEED").unwrap_or(1),
        requests: number("REQUESTS").unwrap_or(1_000_000),
        only: number("CONFIGURATION").and_then(|number| usize::try_from(number).ok()),
    };
    let report = run.play(|report| {
        eprintln!(
            "{} configurations, {} requests, {} breaks, {} s",
            report.configurations,
            report.counts.requests,
            report.breaks.len(),
            report.seconds
        );
    });
    let report = report.await;
    for found in &report.breaks {
        eprintln!("{found}");
    }
    println!("{}", serde_json::to_string(&report).unwrap());
    report.is_clean()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
