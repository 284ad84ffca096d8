#![no_main]

use motif_fingerprint::local::Features;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(features) = Features::from_bytes(bytes) {
        assert_eq!(features.to_bytes(), bytes);
    }
});
