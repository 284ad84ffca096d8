//! Random graphs of works with random histories of earnings, on the programs' bytecode and
//! in the reference model, which must agree to the unit.
//!
//! Works and license credit are written into accounts directly; `fuzz` tests the instructions that
//! create them. Most earnings accounts are written in the same bytes as by `open_earnings`, which
//! opens one in eight. The other instructions (`collect`,
//! `apply_split`, `apply_dispute`, `pull`, `claim`) run in LiteSVM, and each result, accepted or
//! rejected, is compared with the model.
//!
//! The suite runs 20 histories of up to 12 works. All histories:
//!
//! ```sh
//! cargo test --release --workspace --test model histories:: -- --ignored --nocapture
//! ```
//!
//! `GRAPH_HISTORIES` sets their number (10,000), `GRAPH_WORKS` the maximum size of a graph (200),
//! and `GRAPH_SEED` the first seed. A failure names its seed; `GRAPH_SEED=<seed> GRAPH_HISTORIES=1`
//! runs it alone.

mod history;
mod stage;

use std::time::Instant;

use history::History;
use stage::Stage;

#[test]
fn small_histories_match_ledger() {
    Run::of(20, 12, 1).go();
}

#[test]
#[ignore = "takes minutes; see the first lines of this file"]
fn ten_thousand_histories_match_ledger() {
    let run = Run::of(number("GRAPH_HISTORIES", 10_000), number("GRAPH_WORKS", 200) as usize, 1);
    let run = Run { seed: number("GRAPH_SEED", run.seed), ..run };
    run.go();
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Number, size and first seed of histories.
struct Run {
    histories: u64,
    most_works: usize,
    seed: u64,
}

/// Counts of a run.
#[derive(Default)]
struct Counts {
    works: u64,
    instructions: u64,
    refused: u64,
    units_paid: u128,
    changes_of_split: u64,
    verdicts: u64,
}

impl Run {
    fn of(histories: u64, most_works: usize, seed: u64) -> Self {
        Self { histories, most_works, seed }
    }

    /// Runs all histories on all cores.
    fn go(&self) {
        const CHUNK: u64 = 32;
        let began = Instant::now();
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let next = std::sync::atomic::AtomicU64::new(0);
        let counts: Vec<Counts> = std::thread::scope(|scope| {
            let worker = || {
                let mut counts = Counts::default();
                loop {
                    let first = next.fetch_add(CHUNK, std::sync::atomic::Ordering::Relaxed);
                    let chunk = first..self.histories.min(first + CHUNK);
                    if chunk.is_empty() {
                        return counts;
                    }
                    let mut stage = Stage::new();
                    for number in chunk {
                        let seed = self.seed + number;
                        History::new(&mut stage, seed, self.most_works, &mut counts).run();
                    }
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().map(|worker| worker.join().expect("a history failed")).collect()
        });
        let sum = |of: fn(&Counts) -> u64| counts.iter().map(of).sum::<u64>();
        let paid: u128 = counts.iter().map(|counts| counts.units_paid).sum();
        println!(
            "{}",
            serde_json::json!({
                "seed": self.seed,
                "histories": self.histories,
                "works": sum(|counts| counts.works),
                "most_works": self.most_works,
                "instructions_on_bytecode": sum(|counts| counts.instructions),
                "refused_as_predicted": sum(|counts| counts.refused),
                "changes_of_split": sum(|counts| counts.changes_of_split),
                "verdicts": sum(|counts| counts.verdicts),
                "base_units_paid": paid.to_string(),
                "seconds": began.elapsed().as_secs(),
            })
        );
    }
}
