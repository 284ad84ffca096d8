#![no_main]

// symphonia's MP4 reader overflows on broken chunk tables.
libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    motif_fuzz::let_panics_be_caught();
    motif_fuzz::perceive_as("audio/mp4", content)
});
