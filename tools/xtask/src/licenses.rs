//! Licenses of the code in the `motif` binary, as one text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use spdx::Expression;

use crate::shipped::{Package, Registry, packages};

/// Beginnings of the names of files with a license, in upper case.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
/// Depth of folders in which a package has licenses of code that it includes, such as SQLite's.
const DEPTH: usize = 3;
const RULE: &str =
    "================================================================================";

/// Prints the licenses of all packages that are not of this repository, each text once.
///
/// # Errors
/// Fails when the packages cannot be listed, and when a package has neither a text nor the identifier of one.
pub fn print(root: &Path) -> Result<bool> {
    // Packages by text, and texts by the order in which they appear.
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut without_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    println!(
        "Licenses of the code in the motif binary, which itself is under the Apache License 2.0.\n"
    );
    println!(
        "Packages from the Rust and npm registries, in the versions and under the licenses named here."
    );
    println!("The sources of each are in its registry, by name and version.\n");
    let all = packages(root)?;
    for package in all.iter().filter(|package| !package.own) {
        println!("{}", line(package));
        let found = texts_of(package)?;
        if found.is_empty() {
            let name =
                format!("{} {} {}", package.name, package.version, package.authors.join(", "));
            without_text
                .entry(package.license.clone())
                .or_default()
                .push(name.trim_end().to_owned());
        }
        for text in found {
            texts.entry(text).or_default().insert(format!("{} {}", package.name, package.version));
        }
    }
    println!("std {} (MIT OR Apache-2.0): the Rust standard library", rust_version()?);
    println!(
        "token_metadata.so (LicenseRef-mpl-token-metadata): Metaplex's program, for the local network"
    );
    let metaplex = fs::read_to_string(root.join("programs/artifacts/token_metadata.LICENSE"))?;
    texts.entry(normalized(&metaplex)).or_default().insert("token_metadata.so".to_owned());
    without_text
        .entry("MIT OR Apache-2.0".to_owned())
        .or_default()
        .push(format!("std {} The Rust Project Developers", rust_version()?));

    let mut texts: Vec<(BTreeSet<String>, String)> =
        texts.into_iter().map(|(text, names)| (names, text)).collect();
    texts.sort();
    for (names, text) in texts {
        println!("\n{RULE}\n{}\n\n{text}", names.into_iter().collect::<Vec<_>>().join(", "));
    }
    for (license, names) in &without_text {
        println!(
            "\n{RULE}\n{license}, for packages without a text of their own, with their authors:\n"
        );
        for name in names {
            println!("  {name}");
        }
    }
    let mut standard = BTreeSet::new();
    for license in without_text.keys() {
        let expression = Expression::parse(license)?;
        for requirement in expression.requirements() {
            let id = requirement.req.license.id();
            standard.insert(id.with_context(|| format!("{license} has no text"))?.name);
        }
    }
    for name in standard {
        let id = spdx::license_id(name).context("identifier of a license")?;
        println!("\n{RULE}\n{name}\n\n{}", normalized(id.text()));
    }
    Ok(true)
}

fn line(package: &Package) -> String {
    format!("{} {} ({})", package.name, package.version, package.license)
}

/// Returns the texts of licenses in a package's folder.
fn texts_of(package: &Package) -> Result<Vec<String>> {
    ensure!(
        package.registry == Registry::Cargo || package.folder.is_dir(),
        "{} is missing: run `npm ci --prefix app/studio`",
        package.folder.display()
    );
    let mut files = Vec::new();
    find(&package.folder, DEPTH, &mut files)?;
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        // A few licenses are in Latin-1.
        texts.push(normalized(&String::from_utf8_lossy(&fs::read(&file)?)));
    }
    Ok(texts)
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        let is_source = name.ends_with(".RS") || name.ends_with(".JS") || name.ends_with(".TS");
        if kind.is_dir() && depth > 1 && name != "NODE_MODULES" {
            find(&entry.path(), depth - 1, files)?;
        } else if kind.is_file() && !is_source && NAMES.iter().any(|start| name.starts_with(start))
        {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Returns a text without the differences of line ends and margins, so that equal texts are printed once.
fn normalized(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn rust_version() -> Result<String> {
    let output = std::process::Command::new("rustc").arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split(' ').nth(1).context("rustc printed no version")?.to_owned())
}
