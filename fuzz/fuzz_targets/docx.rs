#![no_main]

const DOCUMENT: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

libfuzzer_sys::fuzz_target!(|content: &[u8]| motif_fuzz::perceive_as(DOCUMENT, content));
