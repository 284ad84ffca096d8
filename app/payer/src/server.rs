use std::{fs, io, path::PathBuf, sync::Arc, time::Duration};

use motif_signer::bind_socket;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{app::App, callers::Callers, router::router, service::PayerService, settings::Listen};

/// Service that accepts connections.
pub struct RunningService {
    url: String,
    socket: Option<PathBuf>,
    stop: CancellationToken,
    accepting: JoinHandle<io::Result<()>>,
    exporting: JoinHandle<()>,
}

/// Maximum time for which requests continue after a stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// Starts a service on its listen address.
///
/// # Errors
/// Those of the listener. A socket that no process listens on is replaced; every other file stays.
pub async fn serve(
    service: PayerService,
    callers: Callers,
    listen: &Listen,
) -> io::Result<RunningService> {
    let stop = CancellationToken::new();
    let callers = Arc::new(callers);
    let exporting = tokio::spawn(service.clone().run(stop.clone()));
    let stopped = stop.clone().cancelled_owned();
    let (url, socket, accepting) = match listen {
        Listen::Tcp(address) => {
            let listener = TcpListener::bind(address).await?;
            let url = format!("http://{}", listener.local_addr()?);
            let router = router(App { service, callers, url: Some(url.as_str().into()) });
            let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
            (url, None, tokio::spawn(serving.into_future()))
        }
        Listen::Unix(path) => {
            // Only its owner can connect.
            let listener = bind_socket(path, 0o600)?;
            let router = router(App { service, callers, url: None });
            let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
            let serving = tokio::spawn(serving.into_future());
            (format!("unix:{}", path.display()), Some(path.clone()), serving)
        }
    };
    Ok(RunningService { url, socket, stop, accepting, exporting })
}

impl RunningService {
    /// Returns the URL of the service, or `unix:PATH`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops accepting connections, finishes requests in progress for up to 30 seconds, and exports the
    /// receipts.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(DRAIN_WITHIN, self.accepting).await.is_err() {
            tracing::warn!("requests in progress were ended");
        }
        // It ends by itself, after an export.
        let _ = self.exporting.await;
        if let Some(path) = self.socket {
            // Another process may have replaced it.
            let _ = fs::remove_file(path);
        }
    }
}
