//! Shutdown of commands that run until a signal stops them.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;

/// Returns a future that resolves at the first SIGINT or SIGTERM from now on. Call this before
/// announcing that a service is ready, so that a client can stop it as soon as it knows.
///
/// # Errors
/// [`CliError::Runtime`] if no signal handler can be installed.
pub fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let refuse = |error: std::io::Error| CliError::Runtime(error.to_string());
    let mut terminated = signal(SignalKind::terminate()).map_err(refuse)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(refuse)?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}
