//! Generated pages of figures: tests write them, and later runs are compared with them.

use std::{fs, path::PathBuf};

/// Returns the path of a page.
pub fn path(page: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/figures").join(page)
}

/// Returns whether this run writes pages instead of comparing with them.
pub fn updating() -> bool {
    std::env::var_os("UPDATE_FIGURES").is_some()
}

/// Writes a page, or asserts that it equals the committed one.
///
/// # Panics
/// Panics if it differs.
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
        "docs/figures/{page} differs from this run; if that is intended, set UPDATE_FIGURES=1"
    );
}
