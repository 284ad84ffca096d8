//! Content is decoded in a process of its own: this program, started anew.

use std::{path::Path, process::ExitCode};

use motif_sdk::fingerprint::{DecodingWorker, serve_decoding};

/// How the command line calls it.
const VERB: &str = "decode-worker";
const ANCHORS: &str = "--anchors";

/// A worker that is this program, and trusts the anchors in a file. Where the system does not say
/// which program that is, content is decoded here, and nobody is trusted.
pub fn worker(anchors: Option<&Path>) -> DecodingWorker {
    let Ok(program) = std::env::current_exe() else { return DecodingWorker::Here };
    let mut arguments = vec![VERB.into()];
    if let Some(anchors) = anchors {
        arguments.extend([ANCHORS.into(), anchors.into()]);
    }
    DecodingWorker::Process { program, arguments }
}

/// What such a process does.
pub fn serve(anchors: Option<&Path>) -> ExitCode {
    let anchors = anchors.map(std::fs::read_to_string).transpose();
    match anchors.and_then(|anchors| serve_decoding(anchors.as_deref())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
