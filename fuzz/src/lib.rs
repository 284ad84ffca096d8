//! One libFuzzer target for each decoder of untrusted content: `just fuzz-decoders`.

use motif_fingerprint::{Media, none, perceive, recognition::Index};

/// Decodes content if its media type is `media_type`, and checks the result. A panic ends the
/// run, although [`perceive`] catches it.
pub fn perceive_as(media_type: &str, content: &[u8]) {
    if Media::detect(content).1 != media_type {
        return;
    }
    if let Ok(perceived) = perceive(content) {
        let (fingerprint, probes) = (perceived.fingerprint, perceived.probes);
        assert!(fingerprint == none() || probes.contains(&fingerprint));
        assert!(probes.len() <= Index::MAX_PROBES);
    }
}

/// Lets [`perceive`] catch panics, for decoders that are known to panic on broken content. Must be
/// called in each run, because libFuzzer sets its own hook first.
pub fn let_panics_be_caught() {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}
