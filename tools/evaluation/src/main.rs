//! Measures recognition errors of fingerprints on photographs, drawings, music and texts from
//! Debian packages: `just evaluate-fingerprints FOLDER`, which first runs
//! `tools/evaluation/corpus/fetch.sh FOLDER`. Prints one JSON object per line; with `--write` also
//! writes `docs/figures/fingerprints.md`.
#![allow(clippy::unwrap_used, reason = "an evaluation fails by a panic")]

mod changes;
mod comparison;
mod files;
mod images;
mod report;
mod reposts;
mod sounds;
mod texts;

use std::path::PathBuf;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("the folder that fetch.sh has filled");
    let (options, kinds): (Vec<_>, Vec<_>) = arguments.partition(|word| word.starts_with("--"));
    let wants = |name: &str| kinds.is_empty() || kinds.iter().any(|kind| kind == name);
    let folder = PathBuf::from(folder);
    let mut report = report::Report::default();
    if wants("images") {
        images::evaluate(&folder, &mut report);
    }
    if wants("reposts") {
        reposts::evaluate(&folder, &mut report);
    }
    if wants("texts") {
        texts::evaluate(&folder, &mut report);
    }
    if wants("sounds") {
        sounds::evaluate(&folder, &mut report);
    }
    report.say();
    if options.iter().any(|option| option == "--write") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/figures/fingerprints.md");
        std::fs::write(path, report.page()).unwrap();
    }
}
