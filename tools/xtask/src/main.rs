//! Development commands of the project. Run `cargo xtask --help`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;

mod cycles;
mod tree;
mod words;

/// Checks that the gate runs and that developers run by hand.
#[derive(Parser)]
enum Command {
    /// Count words, test names and file names that the writing rules limit.
    Words(Root),
    /// Find source files that import each other in a circle.
    Cycles(Root),
}

#[derive(clap::Args)]
struct Root {
    /// Checkout to read.
    #[arg(default_value = ".")]
    root: PathBuf,
}

fn main() -> Result<ExitCode> {
    let passed = match Command::parse() {
        Command::Words(Root { root }) => words::check(&root)?,
        Command::Cycles(Root { root }) => cycles::check(&root)?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
