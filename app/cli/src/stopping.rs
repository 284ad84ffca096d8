//! How long-running verbs end.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;

/// Resolves at the first Ctrl-C or `kill` from now on. Ask for it before saying that a service
/// is ready, so that whoever waits for that can stop it.
///
/// # Errors
/// [`CliError::NoRuntime`] where signals cannot be heard.
pub fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let refuse = |error: std::io::Error| CliError::NoRuntime(error.to_string());
    let mut terminated = signal(SignalKind::terminate()).map_err(refuse)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(refuse)?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}
