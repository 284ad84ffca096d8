#![no_main]

// symphonia's reader of MP4 subtracts what broken tables of chunks say, with overflow.
libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    motif_fuzz::let_panics_be_caught();
    motif_fuzz::perceive_as("audio/mp4", content)
});
