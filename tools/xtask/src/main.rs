//! Development commands of the project. Run `cargo xtask --help`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;

mod cycles;
mod features;
mod licenses;
mod sbom;
mod shipped;
mod tree;
mod words;

/// Checks that the gate runs and that developers run by hand.
#[derive(Parser)]
enum Command {
    /// Count words, test names and file names that the writing rules limit.
    Words(Root),
    /// Find source files that import each other in a circle.
    Cycles(Root),
    /// Find dependencies that `cargo run` and `cargo test --workspace` compile with other features.
    Features(Root),
    /// Print the licenses of the code in the `motif` binary. Needs `npm ci --prefix app/studio`.
    Licenses(Root),
    /// Print the software bill of materials of a `motif` binary.
    Sbom {
        /// The binary.
        binary: PathBuf,
        #[command(flatten)]
        root: Root,
    },
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
        Command::Features(Root { root }) => features::check(&root)?,
        Command::Licenses(Root { root }) => licenses::print(&root)?,
        Command::Sbom { binary, root: Root { root } } => sbom::print(&root, &binary)?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
