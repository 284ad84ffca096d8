use std::{
    collections::VecDeque,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request, serve::Listener};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Maximum time for which requests continue after a stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// Maximum size of a request's head, and of what is buffered of a response.
const MAX_BUFFER_BYTES: usize = 64 << 10;

/// Limits of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Maximum number of open connections.
    pub connections: usize,
    /// Time in which the head of a request arrives, also after an earlier request.
    pub head_within: Duration,
}

/// Open connections of a listener. Once all are open, a new one takes the place of the oldest one on which no
/// valid token has arrived, so that clients without a token do not keep callers out.
pub struct Connections {
    limits: ConnectionLimits,
    open: Mutex<VecDeque<Arc<OpenConnection>>>,
    closed: Notify,
}

/// Open connection.
#[derive(Default)]
pub struct OpenConnection {
    /// Whether a valid token has arrived.
    has_caller: AtomicBool,
    /// Cancelled when the connection is closed in favor of another one.
    evicted: CancellationToken,
}

/// Permit for one connection; returned on drop.
struct Permit {
    connections: Arc<Connections>,
    open: Arc<OpenConnection>,
}

impl ConnectionLimits {
    /// Maximum number of open connections, whatever the system allows.
    const MAX_CONNECTIONS: u64 = 1_024;

    /// Returns the limits within the process's open files, of which a payment needs several.
    pub fn of_process() -> Self {
        let files = rlimit::Resource::NOFILE.get().map_or(Self::MAX_CONNECTIONS, |(soft, _)| soft);
        let connections = (files / 4).clamp(4, Self::MAX_CONNECTIONS);
        let connections = usize::try_from(connections).unwrap_or(usize::MAX);
        Self { connections, head_within: Duration::from_secs(10) }
    }
}

impl Connections {
    /// Creates the connections of a listener.
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default(), closed: Notify::new() })
    }

    /// Serves connections until `stop` is cancelled, then finishes the requests in progress.
    pub async fn serve<L: Listener>(
        self: Arc<Self>,
        mut listener: L,
        router: Router,
        stop: CancellationToken,
    ) {
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let permit = tokio::select! {
                permit = self.permit() => permit,
                () = stop.cancelled() => break,
            };
            tasks.spawn(serve_connection(accepted.0, router.clone(), permit, stop.clone()));
        }
        // Close the listener first so that clients fail over instead of queueing.
        drop(listener);
        tasks.close();
        if timeout(DRAIN_WITHIN, tasks.wait()).await.is_err() {
            tracing::warn!(open = tasks.len(), "requests in progress were ended");
        }
    }

    /// Waits for a permit if all connections are those of callers.
    async fn permit(self: &Arc<Self>) -> Permit {
        loop {
            let closed = self.closed.notified();
            if let Some(permit) = self.try_permit() {
                return permit;
            }
            closed.await;
        }
    }

    fn try_permit(self: &Arc<Self>) -> Option<Permit> {
        let mut all = self.all();
        if all.len() >= self.limits.connections {
            let stranger = all.iter().position(|one| !one.has_caller.load(Ordering::Relaxed))?;
            all.remove(stranger)?.evicted.cancel();
        }
        let open = Arc::<OpenConnection>::default();
        all.push_back(open.clone());
        Some(Permit { connections: self.clone(), open })
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<OpenConnection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnection {
    /// Notes that a valid token has arrived.
    pub fn note_caller(&self) {
        self.has_caller.store(true, Ordering::Relaxed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.connections.all().retain(|one| !Arc::ptr_eq(one, &self.open));
        self.connections.closed.notify_one();
    }
}

/// Serves one connection until either side ends it.
async fn serve_connection(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    router: Router,
    permit: Permit,
    stop: CancellationToken,
) {
    let open = permit.open.clone();
    let router = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(open.clone());
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(permit.connections.limits.head_within)
        .max_buf_size(MAX_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = permit.open.evicted.cancelled() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection failed");
    }
    drop(permit);
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::{Extension, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// Serves `/`, whose clients are callers.
    async fn start(connections: usize, head_within: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = get(async |Extension(open): Extension<Arc<OpenConnection>>| {
            open.note_caller();
            "ok"
        });
        let connections = Connections::new(ConnectionLimits { connections, head_within });
        let router = Router::new().route("/", answer);
        tokio::spawn(connections.serve(listener, router, CancellationToken::new()));
        address
    }

    /// Sends a part of a request's head.
    async fn stranger(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx: ").await.unwrap();
        stream
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut read = vec![0; 1_024];
        let length = timeout(Duration::from_secs(5), stream.read(&mut read)).await.unwrap();
        String::from_utf8_lossy(&read[..length.unwrap()]).into_owned()
    }

    #[tokio::test]
    async fn incomplete_head_is_timed_out() {
        let address = start(4, Duration::from_millis(200)).await;
        let mut stream = stranger(address).await;
        let mut read = Vec::new();
        let closed = timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await;
        assert!(closed.is_ok(), "the connection stays open");
    }

    #[tokio::test]
    async fn stranger_leaves_callers_a_connection() {
        let address = start(4, Duration::from_secs(60)).await;
        let mut caller = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut caller).await.ends_with("ok"));
        let mut strangers = Vec::new();
        for _ in 0..12 {
            strangers.push(stranger(address).await);
        }
        let mut other = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut other).await.ends_with("ok"));
        assert!(ask(&mut caller).await.ends_with("ok"), "a caller's connection is kept");
    }
}
