//! `just fuzz`: random calls of both programs, compared with the reference model; see
//! `motif_tests::fuzz`.
//!
//! ```sh
//! cargo run --release --example fuzz
//! ```
//!
//! `FUZZ_INSTRUCTIONS` sets their number (250,000), `FUZZ_SEED` the first seed (1). A failure names
//! the seed of its episode and the step: `FUZZ_SEED=<seed> FUZZ_STEP=<step>
//! FUZZ_INSTRUCTIONS=400` repeats that episode up to that step. The last line is a report in
//! JSON; the exit code is 1 if a promise was broken, or bytecode and model differ.

use std::process::ExitCode;

use motif_tests::fuzz::Run;

fn main() -> ExitCode {
    let run = Run {
        seed: number("FUZZ_SEED").unwrap_or(1),
        instructions: number("FUZZ_INSTRUCTIONS").unwrap_or(250_000),
        until: number("FUZZ_STEP"),
    };
    let report = run.play();
    for found in &report.breaks {
        eprintln!("FUZZ_SEED={} FUZZ_STEP={}: {}", found.seed, found.step, found.what);
    }
    match serde_json::to_string(&report) {
        Ok(json) => println!("{json}"),
        Err(error) => eprintln!("no report: {error}"),
    }
    if report.clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
