//! Worker process that decodes content for this program: the same program, started again.

use std::{path::Path, process::ExitCode};

use motif_sdk::fingerprint::{
    DecodingWorker, attempt_escapes as attempts, serve_decoding, serve_thumbnails,
};

/// Name of the hidden command.
const COMMAND: &str = "decode-worker";
const ANCHORS: &str = "--anchors";

/// Returns a worker that runs this program and trusts the anchors in a file. Falls back to decoding
/// in this process, without anchors, if the path of this program is unknown.
pub fn worker(anchors: Option<&Path>) -> DecodingWorker {
    let Ok(program) = std::env::current_exe() else { return DecodingWorker::Here };
    let mut arguments = vec![COMMAND.into()];
    if let Some(anchors) = anchors {
        arguments.extend([ANCHORS.into(), anchors.into()]);
    }
    DecodingWorker::Process { program, arguments }
}

/// Enters the worker's sandbox, tries to leave it, and prints the result as JSON.
pub fn attempt_escapes(file: &Path) -> ExitCode {
    match attempts(file) {
        Ok(attempts) => {
            println!("{attempts}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the worker process.
pub fn serve(anchors: Option<&Path>) -> ExitCode {
    let anchors = anchors.map(std::fs::read_to_string).transpose();
    let served = anchors.and_then(|anchors| match serve_thumbnails()? {
        true => Ok(()),
        false => serve_decoding(anchors.as_deref()),
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
