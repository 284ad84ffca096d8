//! Inputs of a program's bytecode, as lines whose digest is in the manifest:
//!
//! - every file of its crate and of the crates it depends on by path: `Cargo.toml`, `src/**`;
//! - the rows of the workspace's `Cargo.toml` those crates inherit;
//! - name, version and checksum of each package in its closure of `Cargo.lock`.
//!
//! Dependencies that only the gateway or the tests use are excluded, so changing them does not
//! affect the programs alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::Program;

/// Returns the sorted lines, which `program-manifest explain` prints.
pub fn lines(root: &Path, program: &Program) -> Result<BTreeSet<String>> {
    let workspace = table(&root.join(program.workspace).join("Cargo.toml"))?;
    let mut lines = BTreeSet::new();
    let (mut waiting, mut seen) = (vec![PathBuf::from(program.directory)], BTreeSet::new());
    while let Some(directory) = waiting.pop() {
        if seen.insert(directory.clone()) {
            lines.extend(files(root, &directory)?);
            let manifest = table(&root.join(&directory).join("Cargo.toml"))?;
            lines.extend(inherited(&manifest, &workspace));
            waiting.extend(path_dependencies(
                &manifest,
                &directory,
                &workspace,
                program.workspace,
            )?);
        }
    }
    lines.extend(locked(&root.join(program.workspace).join("Cargo.lock"), program.package)?);
    Ok(lines)
}

/// Returns the SHA-256 of the lines, each ended by a line feed.
pub fn digest(lines: &BTreeSet<String>) -> String {
    let mut hasher = Sha256::new();
    for line in lines {
        hasher.update(line);
        hasher.update("\n");
    }
    hexadecimal(&hasher.finalize())
}

pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Returns `file PATH DIGEST` for one file of the checkout.
pub fn file(root: &Path, path: &Path) -> Result<String> {
    let bytes =
        fs::read(root.join(path)).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!("file {} {}", slashed(path), sha256(&bytes)))
}

/// Returns the lines of a crate's `Cargo.toml` and `src`.
pub fn files(root: &Path, directory: &Path) -> Result<Vec<String>> {
    let mut lines = vec![file(root, &directory.join("Cargo.toml"))?];
    let mut waiting = vec![directory.join("src")];
    while let Some(directory) = waiting.pop() {
        let entries = fs::read_dir(root.join(&directory))
            .with_context(|| format!("no {}", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = directory.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                waiting.push(path);
            } else {
                lines.push(file(root, &path)?);
            }
        }
    }
    Ok(lines)
}

/// Returns `inherits KEY = VALUE` for each inherited value that affects compilation.
fn inherited(manifest: &Table, workspace: &Table) -> Vec<String> {
    let Some(Value::Table(workspace)) = workspace.get("workspace") else {
        return Vec::new();
    };
    let package = ["edition", "version"].into_iter().filter_map(|key| {
        inherits(manifest.get("package")?.get(key)?).then_some(())?;
        Some(format!("inherits package.{key} = {}", workspace.get("package")?.get(key)?))
    });
    let dependencies = dependencies(manifest).into_iter().filter_map(|(name, dependency)| {
        inherits(dependency).then_some(())?;
        Some(format!(
            "inherits dependencies.{name} = {}",
            workspace.get("dependencies")?.get(name)?
        ))
    });
    package.chain(dependencies).collect()
}

fn path_dependencies(
    manifest: &Table,
    directory: &Path,
    workspace: &Table,
    base: &str,
) -> Result<Vec<PathBuf>> {
    let shared = workspace.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let mut paths = Vec::new();
    for (name, dependency) in dependencies(manifest) {
        let (from, dependency) = if inherits(dependency) {
            let row = shared.and_then(|shared| shared.get(name));
            (
                Path::new(base),
                row.with_context(|| format!("the workspace has no dependency `{name}`"))?,
            )
        } else {
            (directory, dependency)
        };
        if let Some(path) = dependency.get("path").and_then(Value::as_str) {
            paths.push(normalized(&from.join(path))?);
        }
    }
    Ok(paths)
}

/// Returns all dependencies in the bytecode, including target-specific ones, without dev-
/// dependencies.
fn dependencies(manifest: &Table) -> Vec<(&str, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables =
        targets.into_iter().flat_map(|targets| targets.values().filter_map(Value::as_table));
    tables
        .chain([manifest])
        .flat_map(|table| ["dependencies", "build-dependencies"].map(|key| table.get(key)))
        .flatten()
        .filter_map(Value::as_table)
        .flatten()
        .map(|(name, dependency)| (name.as_str(), dependency))
        .collect()
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool).unwrap_or(false)
}

/// Returns `package NAME VERSION CHECKSUM` for `root_package` and its dependencies.
fn locked(lock: &Path, root_package: &str) -> Result<Vec<String>> {
    let lock_table = table(lock)?;
    let packages: Vec<&Table> = lock_table
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_table)
        .collect();
    let text = |package: &Table, key: &str| {
        package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut by_name: BTreeMap<String, Vec<&Table>> = BTreeMap::new();
    for package in packages {
        by_name.entry(text(package, "name")).or_default().push(package);
    }

    let (mut waiting, mut lines) = (vec![root_package.to_owned()], BTreeSet::new());
    while let Some(reference) = waiting.pop() {
        // "name", "name version" or "name version (source)", as far as necessary to be unique.
        let mut words = reference.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next());
        let source = words.next().map(|source| source.trim_matches(['(', ')']));
        let candidates: Vec<&&Table> = by_name
            .get(name)
            .into_iter()
            .flatten()
            .filter(|package| version.is_none_or(|version| text(package, "version") == version))
            .filter(|package| source.is_none_or(|source| text(package, "source") == source))
            .collect();
        let [package] = candidates[..] else {
            bail!(
                "{} has {} packages for `{reference}`; run cargo once to bring it up to date",
                lock.display(),
                candidates.len()
            );
        };
        let line =
            format!("package {name} {} {}", text(package, "version"), text(package, "checksum"));
        if lines.insert(line) {
            let dependencies = package.get("dependencies").and_then(Value::as_array);
            waiting.extend(
                dependencies.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
            );
        }
    }
    Ok(lines.into_iter().collect())
}

fn table(path: &Path) -> Result<Table> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", path.display()))
}

/// Resolves `..` without the file system.
fn normalized(path: &Path) -> Result<PathBuf> {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if out.pop() => {}
            Component::Normal(name) => out.push(name),
            Component::CurDir => {}
            _ => bail!("path dependency {} leaves the checkout", path.display()),
        }
    }
    Ok(out)
}

fn slashed(path: &Path) -> String {
    path.components()
        .map(|component| component.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
