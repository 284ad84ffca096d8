//! Features of shared dependencies: `cargo run` and `cargo test --workspace` should select the same,
//! or the second command compiles dependencies again that the first one has compiled.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

/// Packages that may differ: the two programs, which only tests build without an entrypoint, and
/// three number crates as dependencies of one procedural macro.
const MAX_DIFFERENCES: usize = 5;

/// Prints every package of the default members whose features the tests do not select, and returns
/// whether there are at most [`MAX_DIFFERENCES`].
///
/// # Errors
/// Fails when `cargo tree` does.
pub fn check(root: &Path) -> Result<bool> {
    let built = selection(root, &["--edges", "normal,build"])?;
    let tested = selection(root, &["--workspace", "--edges", "all"])?;
    let differences: Vec<&String> = built.difference(&tested).collect();
    for package in &differences {
        println!("{package}");
    }
    println!("{} packages differ (at most {MAX_DIFFERENCES})", differences.len());
    Ok(differences.len() <= MAX_DIFFERENCES)
}

/// Returns one line for each package and set of features that `cargo tree` selects.
fn selection(root: &Path, arguments: &[&str]) -> Result<BTreeSet<String>> {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(root).args(["tree", "--locked", "--prefix", "none", "--format", "{p}: {f}"]);
    let output = tree.args(arguments).output().context("running cargo tree")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree failed: {errors}");
    let text = String::from_utf8(output.stdout).context("reading the output of cargo tree")?;
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)").replace(" (proc-macro)", ""));
    Ok(lines.collect())
}
