//! Units of dependencies: `cargo run` and `cargo test --workspace` should need the same, or the
//! second command compiles dependencies again that the first one has compiled.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Output of `cargo build --unit-graph`: every compiler run of a command.
#[derive(Deserialize)]
struct UnitGraph {
    units: Vec<Unit>,
}

#[derive(Deserialize)]
struct Unit {
    pkg_id: String,
    features: Vec<String>,
    target: Target,
    mode: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    index: usize,
}

/// Prints every library that the second command compiles again, because something below it has other
/// features, and returns whether there is none. Members of the workspace are not counted, nor is a
/// library that the second command needs with other features itself.
///
/// # Errors
/// Fails when cargo does.
pub fn check(root: &Path) -> Result<bool> {
    let first = UnitGraph::read(root, &["build"])?;
    let second = UnitGraph::read(root, &["test", "--workspace", "--no-run"])?;
    let compiled = first.keys();
    let compiled: BTreeSet<&String> = compiled.iter().collect();
    let names: BTreeSet<String> = first.units.iter().map(Unit::name).collect();
    let mut again = 0;
    for (unit, key) in second.units.iter().zip(&second.keys()) {
        if unit.is_dependency() && names.contains(&unit.name()) && !compiled.contains(key) {
            println!("{}", unit.name());
            again += 1;
        }
    }
    println!("{again} of {} libraries are compiled twice", names.len());
    Ok(again == 0)
}

impl UnitGraph {
    fn read(root: &Path, command: &[&str]) -> Result<Self> {
        let mut cargo = Command::new(env!("CARGO"));
        // The graph is an unstable output of a stable cargo.
        cargo.current_dir(root).env("RUSTC_BOOTSTRAP", "1");
        cargo.args(command).args(["--release", "--locked", "--unit-graph", "-Zunstable-options"]);
        let output = cargo.output().context("running cargo")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo failed: {errors}");
        serde_json::from_slice(&output.stdout).context("reading cargo's unit graph")
    }

    /// Returns a key of each unit: its features and those of everything below it.
    fn keys(&self) -> Vec<String> {
        let mut keys = vec![None; self.units.len()];
        (0..self.units.len()).map(|index| self.key(index, &mut keys)).collect()
    }

    fn key(&self, index: usize, keys: &mut Vec<Option<String>>) -> String {
        if let Some(key) = &keys[index] {
            return key.clone();
        }
        let unit = &self.units[index];
        let mut below: BTreeSet<String> = BTreeSet::new();
        for dependency in &unit.dependencies {
            below.insert(self.key(dependency.index, keys));
        }
        let Unit { pkg_id, features, target, mode, .. } = unit;
        let whole = format!("{pkg_id} {features:?} {:?} {mode} {below:?}", target.kind);
        let key = blake3::hash(whole.as_bytes()).to_string();
        keys[index] = Some(key.clone());
        key
    }
}

impl Unit {
    /// Returns package, kind, mode and features.
    fn name(&self) -> String {
        let Self { pkg_id, features, target, mode, .. } = self;
        format!("{pkg_id} {} {mode} {}", target.kind.join(","), features.join(","))
    }

    /// Returns whether the unit is a package from a registry, compiled as a library.
    fn is_dependency(&self) -> bool {
        self.pkg_id.starts_with("registry+") && self.mode == "build"
    }
}
