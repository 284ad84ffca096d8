//! Kills a gateway under load a number of times, and checks after each kill that nothing
//! acknowledged is lost and nothing is charged twice. The report is the last line.
//!
//! `cargo run --release --example crash_loop -- --kills 1000 [--payers 6] [--postgres]`
#![allow(clippy::unwrap_used, reason = "it fails by a panic")]

use std::{
    process::{Command, ExitCode},
    time::Instant,
};

use motif_testkit::{
    crash_loop::{self, Rounds},
    world::Server,
};
use serde_json::json;

/// Number of kills between two lines on standard error.
const EVERY: u32 = 50;

/// Returns the command that runs this program as the gateway to kill.
fn gateway() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

fn main() -> ExitCode {
    if let Ok(told) = std::env::var(crash_loop::TOLD) {
        crash_loop::run(serde_json::from_str(&told).unwrap());
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        // The last one, so that `just crash-loop --kills 10` does ten.
        let place = arguments.iter().rposition(|argument| argument == name);
        let after = place.and_then(|place| arguments.get(place + 1));
        after.map(|text| text.parse::<u32>().unwrap_or_else(|_| panic!("{name} takes a number")))
    };
    let kills = number("--kills").unwrap_or(20);
    let payers = number("--payers").map_or(Rounds::PAYERS, |payers| payers.try_into().unwrap());
    let on_postgres = arguments.iter().any(|argument| argument == "--postgres");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(kills, payers, on_postgres))
}

async fn run(kills: u32, payers: u16, on_postgres: bool) -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let (database, store) = if on_postgres {
        let server = Server::get().expect("a PostgreSQL server");
        ("PostgreSQL", server.database().await)
    } else {
        ("SQLite", folder.path().join("gateway.sqlite").display().to_string())
    };
    let mut rounds = Rounds::new(folder.path(), store, gateway, payers).await;
    let begun = Instant::now();
    let outcome = rounds.run(kills, |report| {
        if report.kills % EVERY == 0 {
            eprintln!("{} of {kills} kills, {} s", report.kills, begun.elapsed().as_secs());
        }
    });
    let outcome = outcome.await;
    let how = match &outcome {
        Ok(report) => format!(
            "{} SIGKILLs on {database}, {payers} payers, {} acknowledged, {} of them after a retry, {} \
             statements settled; by moment {:?}",
            report.kills, report.acknowledged, report.retried, report.settled, report.moments
        ),
        Err(broken) => broken.clone(),
    };
    let broken = u8::from(outcome.is_err());
    let report = json!({
        "name": "gateway.crash_loop.broken_promises",
        "value": broken,
        "unit": "promises",
        "goal": 0,
        "met": broken == 0,
        "how": how,
    });
    println!("{report}");
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
