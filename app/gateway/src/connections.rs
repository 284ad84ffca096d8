use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    GatewayConfig,
    admission::{ClientAddress, InvalidHost, network},
    metrics::Metrics,
    paced_stream::PacedStream,
};

/// Pause after the system accepts no connection, usually because too many are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Maximum time for which requests continue after the gateway is stopped.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// Maximum number of headers of a request.
const MAX_HEADERS: usize = 64;

/// Accepts connections of one listener.
pub struct Connections {
    config: Arc<GatewayConfig>,
    metrics: Arc<Metrics>,
    open: Mutex<OpenConnections>,
}

/// Number of open connections.
#[derive(Debug, Default)]
struct OpenConnections {
    /// IPv6 addresses of one /64 count together.
    by_address: HashMap<IpAddr, u32>,
    total: u32,
}

/// Permit for one connection; returned on drop.
struct ConnectionPermit {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    /// Creates the connections of a listener.
    pub fn new(config: Arc<GatewayConfig>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { config, metrics, open: Mutex::default() })
    }

    /// Serves connections until `stop` is cancelled, then finishes the requests in progress.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        router: Router,
        stop: CancellationToken,
    ) {
        let tasks = TaskTracker::new();
        // Each connection has a child token: the locks of a shared token would be contended.
        let stop_connections = CancellationToken::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => match self.permit(peer) {
                    Some(permit) => {
                        let stop = stop_connections.child_token();
                        tasks.spawn(serve_connection(stream, peer, router.clone(), permit, stop));
                    }
                    // Closing the socket is the cheapest rejection.
                    None => {
                        self.metrics.connections_refused.inc();
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "no connection accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // Close the listener first so that clients fail over instead of queueing.
        drop(listener);
        stop_connections.cancel();
        tasks.close();
        if timeout(DRAIN_WITHIN, tasks.wait()).await.is_err() {
            tracing::warn!(open = tasks.len(), "requests were interrupted");
        }
    }

    /// Returns a permit, or `None` if too many connections are open, in total or of this address.
    fn permit(self: &Arc<Self>, peer: SocketAddr) -> Option<ConnectionPermit> {
        let (peer, address) = (peer.ip().to_canonical(), network(peer.ip()));
        let proxies = &self.config.trusted_proxies;
        let is_proxy = proxies.iter().any(|network| network.contains(&peer));
        let limits = &self.config.limits;
        let max_own = if is_proxy { u32::MAX } else { limits.connections_per_address };
        let mut open = self.open.lock();
        let own = open.by_address.get(&address).copied().unwrap_or(0);
        if own >= max_own || open.total >= limits.connections {
            return None;
        }
        open.by_address.insert(address, own + 1);
        open.total += 1;
        self.metrics.connections.inc();
        Some(ConnectionPermit { connections: self.clone(), address })
    }
}

/// Serves one connection until either side ends it.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    permit: ConnectionPermit,
    stop: CancellationToken,
) {
    let config = permit.connections.config.clone();
    let limits = config.limits;
    // Responses are one small packet. Without the option they are slower.
    let _ = stream.set_nodelay(true);
    let stream = PacedStream::new(stream, Duration::from_secs(limits.write_seconds.into()));
    let router = router.map_request(move |mut request: Request<Incoming>| {
        let (proxies, header) = (&config.trusted_proxies, config.forwarding_header);
        let client = ClientAddress::find(peer.ip(), request.headers(), proxies, header);
        request.extensions_mut().insert(client);
        if let Some(invalid) = InvalidHost::of(&request) {
            request.extensions_mut().insert(invalid);
        }
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.head_seconds.into()))
        .max_buf_size(limits.head_bytes as usize)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection failed");
    }
    drop(permit);
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.total = open.total.saturating_sub(1);
        if let Some(own) = open.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                open.by_address.remove(&self.address);
            }
        }
        self.connections.metrics.connections.dec();
    }
}

#[cfg(test)]
mod tests {
    use solana_keypair::Keypair;

    use super::*;

    #[test]
    fn ipv6_prefix_shares_connection_limit() {
        let keypair = Arc::new(Keypair::new_from_array([8; 32]));
        let store = std::path::PathBuf::from("unused.sqlite");
        let mut config = GatewayConfig::new("http://unused.invalid", keypair, store);
        config.limits.connections_per_address = 1;
        let connections = Connections::new(Arc::new(config), Arc::default());
        let permit = |peer: &str| connections.permit(SocketAddr::new(peer.parse().unwrap(), 1));
        let first = permit("2001:db8::1").unwrap();
        assert!(permit("2001:db8::ffff:2").is_none(), "the same network");
        assert!(permit("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(permit("2001:db8::ffff:2").is_some());
    }
}
