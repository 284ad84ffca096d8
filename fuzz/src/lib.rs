//! One target for each decoder that strangers' content reaches: `just fuzz-decoders`.
//!
//! The SDK's own code for fingerprints is compiled from where it is, but for the worker: with the
//! whole SDK around it six hundred crates would have to be built for coverage.

#[path = "../../sdk/src/fingerprint/mod.rs"]
pub mod fingerprint;

use fingerprint::{Media, none, perceive};

/// As `motif_sdk::recognition::Index::MAX_PROBES`.
const MAX_PROBES: usize = 64;

/// Content that another decoder would take is left to that one's target. A panic ends the run,
/// though [`perceive`] would catch it.
pub fn perceive_as(media_type: &str, content: &[u8]) {
    if Media::of(content).1 != media_type {
        return;
    }
    if let Ok(perceived) = perceive(content) {
        let (fingerprint, probes) = (perceived.fingerprint, perceived.probes);
        assert!(fingerprint == none() || probes.contains(&fingerprint));
        assert!(probes.len() <= MAX_PROBES);
    }
}

/// For decoders that are known to panic on broken content, which [`perceive`] answers as content
/// that nobody can make sense of: only what it cannot catch ends the run. libFuzzer's own hook is
/// set after anything that a target does to begin with, hence each time.
pub fn let_panics_be_caught() {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}
