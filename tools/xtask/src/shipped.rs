//! The packages whose code is in the `motif` binary: crates of its own and of the modules and programs within it, and the
//! npm packages of the studio's pages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use cargo_lock::Lockfile;
use serde::{Deserialize, de::DeserializeOwned};
use spdx::{Expression, ParseMode};

/// Crates that are compiled into the binary, with the targets that they are compiled for.
const ROOTS: [(&str, &[&str]); 2] = [
    ("x86_64-unknown-linux-gnu", &["motif-cli", "licensing", "payments"]),
    // Modules in the studio's pages.
    ("wasm32-unknown-unknown", &["motif-core", "motif-content"]),
];
/// Lock file of the studio's pages.
const STUDIO: &str = "app/studio/package-lock.json";

/// Package whose code is in the binary.
pub struct Package {
    pub registry: Registry,
    pub name: String,
    pub version: String,
    /// Whether the package is part of this repository.
    pub own: bool,
    /// SPDX expression.
    pub license: String,
    pub authors: Vec<String>,
    /// Digest in hexadecimal with its algorithm's name in CycloneDX, as the lock file has it.
    pub digest: Option<(&'static str, String)>,
    /// Folder of its sources; npm packages have one only after `npm ci --prefix app/studio`.
    pub folder: PathBuf,
    /// Package URLs of its dependencies.
    pub dependencies: BTreeSet<String>,
}

/// Registry of a package.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    Cargo,
    Npm,
}

impl Package {
    /// Returns the [package URL](https://github.com/package-url/purl-spec).
    pub fn url(&self) -> String {
        url(self.registry, &self.name, &self.version)
    }
}

/// Returns all packages, sorted by registry, name and version.
///
/// # Errors
/// Fails when cargo does, or when a lock file or a license's expression cannot be read.
pub fn packages(root: &Path) -> Result<Vec<Package>> {
    let mut packages = crates(root)?;
    packages.extend(npm_packages(root)?);
    packages.sort_by_key(|package| (package.registry == Registry::Npm, package.url()));
    Ok(packages)
}

fn url(registry: Registry, name: &str, version: &str) -> String {
    match registry {
        Registry::Cargo => format!("pkg:cargo/{name}@{version}"),
        Registry::Npm => format!("pkg:npm/{}@{version}", name.replacen('@', "%40", 1)),
    }
}

/// Output of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Crate {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    authors: Vec<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

fn crates(root: &Path) -> Result<Vec<Package>> {
    let metadata: Metadata = {
        let text = cargo(root, &["metadata", "--format-version", "1", "--locked"])?;
        serde_json::from_str(&text).context("reading the output of cargo metadata")?
    };
    let mut shipped = BTreeSet::new();
    for (target, roots) in ROOTS {
        shipped.extend(compiled(root, target, roots)?);
    }
    let lock = Lockfile::load(root.join("Cargo.lock"))?;
    let digests: BTreeMap<String, String> = lock
        .packages
        .iter()
        .filter_map(|package| {
            let digest = package.checksum.as_ref()?.to_string();
            Some((format!("{} {}", package.name, package.version), digest))
        })
        .collect();
    let keys: BTreeMap<&String, String> = metadata
        .packages
        .iter()
        .map(|one| (&one.id, format!("{} {}", one.name, one.version)))
        .collect();
    let mut dependencies: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    for node in &metadata.resolve.nodes {
        let shipped = node.dependencies.iter().filter_map(|id| {
            let key = keys.get(id).filter(|key| shipped.contains(*key))?;
            let (name, version) = key.split_once(' ')?;
            Some(url(Registry::Cargo, name, version))
        });
        dependencies.insert(&node.id, shipped.collect());
    }
    let mut packages = Vec::new();
    for one in metadata.packages.iter().filter(|one| shipped.contains(&keys[&one.id])) {
        packages.push(Package {
            registry: Registry::Cargo,
            name: one.name.clone(),
            version: one.version.clone(),
            own: one.source.is_none(),
            license: expression(&one.name, one.license.as_deref())?,
            authors: one.authors.clone(),
            digest: digests.get(&keys[&one.id]).map(|digest| ("SHA-256", digest.clone())),
            folder: one.manifest_path.parent().map(Path::to_path_buf).unwrap_or_default(),
            dependencies: dependencies.remove(&one.id).unwrap_or_default(),
        });
    }
    ensure!(packages.len() == shipped.len(), "cargo metadata lacks crates that cargo tree has");
    Ok(packages)
}

/// Returns name and version of all crates that are compiled into these roots. Macros and build scripts are not.
fn compiled(root: &Path, target: &str, roots: &[&str]) -> Result<BTreeSet<String>> {
    let mut arguments =
        vec!["tree", "--locked", "--edges", "normal,no-proc-macro", "--target", target];
    arguments.extend(["--prefix", "none", "--format", "{p}"]);
    for root in roots {
        arguments.extend(["--package", root]);
    }
    let tree = cargo(root, &arguments)?;
    let crates = tree.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some(format!("{name} {}", rest.split(' ').next()?))
    });
    Ok(crates.collect())
}

/// Lock file of npm, version 3.
#[derive(Deserialize)]
struct NpmLock {
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct NpmPackage {
    version: String,
    license: Option<String>,
    integrity: Option<String>,
    dev: bool,
    optional: bool,
    dependencies: BTreeMap<String, String>,
}

fn npm_packages(root: &Path) -> Result<Vec<Package>> {
    let lock: NpmLock = read_json(&root.join(STUDIO))?;
    let name = |path: &str| path.strip_prefix("node_modules/").map(str::to_owned);
    let mut packages = Vec::new();
    for (path, one) in &lock.packages {
        let Some(own_name) = name(path).filter(|_| !one.dev && !one.optional) else { continue };
        ensure!(!own_name.contains("node_modules/"), "{STUDIO} has {path} in two versions");
        let digest = one.integrity.as_deref().and_then(|text| text.strip_prefix("sha512-"));
        let digest = digest.map(|text| BASE64_STANDARD.decode(text)).transpose()?;
        let dependencies = one.dependencies.keys().filter_map(|dependency| {
            let package = lock.packages.get(&format!("node_modules/{dependency}"))?;
            Some(url(Registry::Npm, dependency, &package.version))
        });
        packages.push(Package {
            registry: Registry::Npm,
            license: expression(&own_name, one.license.as_deref())?,
            digest: digest.map(|digest| ("SHA-512", hex::encode(digest))),
            folder: root.join("app/studio").join(path),
            dependencies: dependencies.collect(),
            name: own_name,
            version: one.version.clone(),
            own: false,
            authors: Vec::new(),
        });
    }
    Ok(packages)
}

/// Returns a license's expression in canonical form. A license without an identifier is named after its package.
fn expression(package: &str, license: Option<&str>) -> Result<String> {
    let Some(license) = license else { return Ok(format!("LicenseRef-{package}")) };
    let canonical = Expression::canonicalize(license)
        .with_context(|| format!("license of {package}"))?
        .unwrap_or_else(|| license.to_owned());
    Expression::parse_mode(&canonical, ParseMode::STRICT)
        .with_context(|| format!("license of {package}"))?;
    Ok(canonical)
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {} failed: {errors}", arguments[0]);
    Ok(String::from_utf8(output.stdout)?)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("parsing {}", path.display()))
}
