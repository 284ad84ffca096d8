//! The tracked files of a checkout.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Returns the tracked files with one of these extensions and their text, sorted by path.
///
/// # Errors
/// Fails when `root` is not a git checkout or a tracked file is not readable UTF-8.
pub fn tracked(root: &Path, extensions: &[&str]) -> Result<Vec<(PathBuf, String)>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .context("git is needed to list the tracked files")?;
    ensure!(listed.status.success(), "{} is not a git checkout", root.display());
    let names = String::from_utf8(listed.stdout)?;
    let mut paths: Vec<PathBuf> = names.split_terminator('\0').map(PathBuf::from).collect();
    paths.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
            && root.join(path).is_file()
    });
    paths.sort();
    paths.into_iter().map(|path| read(root, path)).collect()
}

fn read(root: &Path, path: PathBuf) -> Result<(PathBuf, String)> {
    let text = fs::read_to_string(root.join(&path))
        .with_context(|| format!("reading {}", path.display()))?;
    Ok((path, text))
}
