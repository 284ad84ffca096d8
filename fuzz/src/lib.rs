//! One target for each decoder that strangers' content reaches: `just fuzz-decoders`.

use motif_sdk::{
    fingerprint::{Media, none, perceive},
    recognition::Index,
};

/// Content that another decoder would take is left to that one's target. A panic ends the run,
/// though [`perceive`] would catch it.
pub fn perceive_as(media_type: &str, content: &[u8]) {
    if Media::of(content).1 != media_type {
        return;
    }
    if let Ok(perceived) = perceive(content) {
        let (fingerprint, probes) = (perceived.fingerprint, perceived.probes);
        assert!(fingerprint == none() || probes.contains(&fingerprint));
        assert!(probes.len() <= Index::MAX_PROBES);
    }
}
