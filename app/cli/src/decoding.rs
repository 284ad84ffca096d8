//! Content is decoded in a process of its own: this program, started anew.

use std::process::ExitCode;

use motif_sdk::fingerprint::{DecodingWorker, serve_decoding};

/// How the command line calls it.
const VERB: &str = "decode-worker";

/// A worker that is this program. Where the system does not say which that is, content is
/// decoded here.
pub fn worker() -> DecodingWorker {
    match std::env::current_exe() {
        Ok(program) => DecodingWorker::Process { program, arguments: vec![VERB.into()] },
        Err(_) => DecodingWorker::Here,
    }
}

/// What such a process does.
pub fn serve() -> ExitCode {
    match serve_decoding() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
