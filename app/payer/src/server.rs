use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use motif_signer::bind_socket;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    callers::Callers,
    connections::{ConnectionLimits, Connections},
    router::router,
    service::PayerService,
    settings::Listen,
};

/// Service that accepts connections.
pub struct RunningService {
    url: String,
    socket: Option<PathBuf>,
    stop: CancellationToken,
    accepting: JoinHandle<()>,
    exporting: JoinHandle<()>,
}

/// Buffer of a connection for what its client has not read: parts of a stream in it are paid for.
const SEND_BUFFER_BYTES: u32 = 16 << 10;
/// Number of connections that the system accepts before this service.
const BACKLOG: u32 = 1_024;

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
    let connections = Connections::new(ConnectionLimits::of_process());
    let (url, socket, accepting) = match listen {
        Listen::Tcp(address) => {
            let listener = bind(*address)?;
            let url = format!("http://{}", listener.local_addr()?);
            let router = router(App { service, callers, url: Some(url.as_str().into()) });
            let serving = connections.serve(listener, router, stop.clone());
            (url, None, tokio::spawn(serving))
        }
        Listen::Unix(path) => {
            // Only its owner can connect.
            let listener = bind_socket(path, 0o600)?;
            let router = router(App { service, callers, url: None });
            let serving = tokio::spawn(connections.serve(listener, router, stop.clone()));
            (format!("unix:{}", path.display()), Some(path.clone()), serving)
        }
    };
    Ok(RunningService { url, socket, stop, accepting, exporting })
}

/// Listens with a small buffer for each connection.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does.
    socket.set_reuseaddr(true)?;
    // Connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
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
        // It ends by itself, also with requests in progress.
        let _ = self.accepting.await;
        // It ends by itself, after an export.
        let _ = self.exporting.await;
        if let Some(path) = self.socket {
            // Another process may have replaced it.
            let _ = fs::remove_file(path);
        }
    }
}
