#![no_main]

// Text in a guessed encoding is detected as other content.
libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    motif_fuzz::perceive_as("application/octet-stream", content)
});
