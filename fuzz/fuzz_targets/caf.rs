#![no_main]

// symphonia's reader of CAF overflows on broken sizes.
libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    motif_fuzz::let_panics_be_caught();
    motif_fuzz::perceive_as("audio/x-caf", content)
});
