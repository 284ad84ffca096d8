//! Random graphs of works and random histories of what they earn, on the programs' bytecode and
//! in the reference ledger: both agree to the unit.
//!
//! Works, and the credit of a channel's licenses, are written into accounts directly: how they
//! come about is what `fuzz` tests. So are most earnings accounts, byte for byte as `open_earnings`
//! writes them, which opens one in eight. Everything that moves money from there on (`collect`,
//! `apply_split`, `apply_dispute`, `pull`, `claim`) is an instruction run in LiteSVM, and every one
//! of them, refused or not, is held against the ledger.
//!
//! 20 histories of up to 12 works run with the suite. All of them:
//!
//! ```sh
//! cargo test --release --workspace --test model histories:: -- --ignored --nocapture
//! ```
//!
//! `GRAPH_HISTORIES` says how many (10,000), `GRAPH_WORKS` how large a graph can be (200), and
//! `GRAPH_SEED` which is the first. A history that fails names its seed; `GRAPH_SEED=<seed>
//! GRAPH_HISTORIES=1` runs it alone.

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

/// How many histories, how large, and from which seed on.
struct Run {
    histories: u64,
    most_works: usize,
    seed: u64,
}

/// What was counted.
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

    /// Runs all, on as many threads as there are cores.
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
