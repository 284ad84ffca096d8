#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| motif_fuzz::perceive_as("audio/x-caf", content));
