//! Pages of measured facts: written by the tests that measure, and held against every later run.

use std::{fs, path::PathBuf};

/// Where such pages live.
pub fn path(page: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/figures").join(page)
}

/// Whether this run writes pages instead of comparing with them.
pub fn updating() -> bool {
    std::env::var_os("UPDATE_FIGURES").is_some()
}

/// Writes a page, or asserts that it is what is committed.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn check(page: &str, content: &str) {
    let path = path(page);
    if updating() {
        fs::write(&path, content).expect("a page can be written");
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == content,
        "docs/figures/{page} is not what the programs do; run this test with UPDATE_FIGURES=1"
    );
}
