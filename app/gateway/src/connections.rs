use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    response::Response,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
};
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

/// Share of a listener's connections, as a fraction, that only addresses with few connections get.
const RESERVED: u32 = 16;
/// Share of a listener's connections, as a fraction, below which an address has few; at least one.
const FEW: u32 = 128;
/// Time for which a connection with an answered request is idle before it may be closed: the response's
/// end may be on its way.
const IDLE: Duration = Duration::from_secs(1);

/// Accepts connections of one listener.
///
/// Once all are open, the address with the most connections loses the one that has been idle longest to an
/// address with fewer. A reserve is for addresses with few connections while none is idle.
pub struct Connections {
    config: Arc<GatewayConfig>,
    metrics: Arc<Metrics>,
    open: Mutex<OpenConnections>,
    began: Instant,
}

/// Open connections by address.
#[derive(Default)]
struct OpenConnections {
    /// IPv6 addresses of one /64 are one.
    by_address: HashMap<IpAddr, Vec<Arc<OpenConnection>>>,
    total: u32,
}

/// State of an open connection.
struct OpenConnection {
    address: IpAddr,
    is_proxy: bool,
    began: Instant,
    /// Milliseconds since `began` at which it became idle; `BUSY` during a request.
    idle_since: AtomicU64,
    /// Whether a request was read.
    is_used: AtomicBool,
    /// Cancelled when the connection is closed in favor of another address.
    evicted: CancellationToken,
}

/// Permit for one connection; returned on drop.
struct ConnectionPermit {
    connections: Arc<Connections>,
    open: Arc<OpenConnection>,
}

/// Body of a response, whose connection is idle after it.
struct ResponseBody {
    body: Body,
    open: Arc<OpenConnection>,
}

impl Connections {
    /// Creates the connections of a listener.
    pub fn new(config: Arc<GatewayConfig>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { config, metrics, open: Mutex::default(), began: Instant::now() })
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

    /// Returns a permit, or `None` if too many connections are open: of this address, or in total and none
    /// can be closed in favor of this address.
    fn permit(self: &Arc<Self>, peer: SocketAddr) -> Option<ConnectionPermit> {
        let (peer, address) = (peer.ip().to_canonical(), network(peer.ip()));
        let proxies = &self.config.trusted_proxies;
        let is_proxy = proxies.iter().any(|network| network.contains(&peer));
        let limits = &self.config.limits;
        let max_own = if is_proxy { u32::MAX } else { limits.connections_per_address };
        let mut all = self.open.lock();
        let own = all.count(&address);
        if own >= max_own as usize {
            return None;
        }
        let has_few = own < (limits.connections / FEW).max(1) as usize;
        let reserved = if has_few { 0 } else { limits.connections / RESERVED };
        if all.total >= limits.connections - reserved {
            let evicted = all.idlest(own)?;
            evicted.evicted.cancel();
            all.remove(&evicted);
            self.metrics.connections.dec();
            self.metrics.connections_evicted.inc();
        }
        let open = Arc::new(OpenConnection::new(address, is_proxy, self.began));
        all.by_address.entry(address).or_default().push(open.clone());
        all.total += 1;
        self.metrics.connections.inc();
        Some(ConnectionPermit { connections: self.clone(), open })
    }
}

impl OpenConnections {
    /// Returns the number of connections of an address.
    fn count(&self, address: &IpAddr) -> usize {
        self.by_address.get(address).map_or(0, Vec::len)
    }

    /// Returns the idle connection that is closed in favor of an address with `own` connections: of those
    /// with the most connections, the one that has been idle longest.
    fn idlest(&self, own: usize) -> Option<Arc<OpenConnection>> {
        // With equal numbers, connections would only be exchanged.
        let has_more = |of_one: &&Vec<_>| own == 0 || of_one.len() > own + 1;
        let of_others = self.by_address.values().filter(has_more);
        let idle = of_others.flat_map(|of_one| {
            let idle = of_one.iter().filter_map(|open| Some((open.idle_since()?, open)));
            idle.map(move |(since, open)| ((Reverse(of_one.len()), since), open))
        });
        idle.min_by_key(|(order, _)| *order).map(|(_, open)| open.clone())
    }

    /// Removes a connection. Returns whether it was there.
    fn remove(&mut self, open: &Arc<OpenConnection>) -> bool {
        let Some(of_one) = self.by_address.get_mut(&open.address) else { return false };
        let Some(place) = of_one.iter().position(|other| Arc::ptr_eq(other, open)) else {
            return false;
        };
        of_one.swap_remove(place);
        if of_one.is_empty() {
            self.by_address.remove(&open.address);
        }
        self.total -= 1;
        true
    }
}

impl OpenConnection {
    const BUSY: u64 = u64::MAX;

    fn new(address: IpAddr, is_proxy: bool, began: Instant) -> Self {
        let open = Self {
            address,
            is_proxy,
            began,
            idle_since: AtomicU64::new(Self::BUSY),
            is_used: AtomicBool::new(false),
            evicted: CancellationToken::new(),
        };
        open.end_request();
        open
    }

    fn begin_request(&self) {
        self.is_used.store(true, Ordering::Relaxed);
        self.idle_since.store(Self::BUSY, Ordering::Relaxed);
    }

    fn end_request(&self) {
        self.idle_since.store(millis(self.began.elapsed()), Ordering::Relaxed);
    }

    /// Returns the milliseconds since `began` at which it became idle, or `None` if it cannot be closed. The
    /// connections of proxies are shared by their clients.
    fn idle_since(&self) -> Option<u64> {
        let since = self.idle_since.load(Ordering::Relaxed);
        let idle = millis(self.began.elapsed()).checked_sub(since)?;
        let is_over = !self.is_used.load(Ordering::Relaxed) || idle >= millis(IDLE);
        (is_over && !self.is_proxy).then_some(since)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Serves one connection until either side ends it.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    permit: ConnectionPermit,
    stop: CancellationToken,
) {
    let (config, open) = (permit.connections.config.clone(), permit.open.clone());
    let limits = config.limits;
    // Responses are one small packet. Without the option they are slower.
    let _ = stream.set_nodelay(true);
    let stream = PacedStream::new(stream, Duration::from_secs(limits.write_seconds.into()));
    let requested = open.clone();
    let router = router.map_request(move |mut request: Request<Incoming>| {
        requested.begin_request();
        let (proxies, header) = (&config.trusted_proxies, config.forwarding_header);
        let client = ClientAddress::find(peer.ip(), request.headers(), proxies, header);
        request.extensions_mut().insert(client);
        if let Some(invalid) = InvalidHost::of(&request) {
            request.extensions_mut().insert(invalid);
        }
        request
    });
    let answered = open.clone();
    let router = router.map_response(move |response: Response| {
        response.map(|body| ResponseBody { body, open: answered.clone() })
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
        () = open.evicted.cancelled() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection failed");
    }
    drop(permit);
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if self.connections.open.lock().remove(&self.open) {
            self.connections.metrics.connections.dec();
        }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.open.end_request();
    }
}

#[cfg(test)]
mod tests {
    use solana_keypair::Keypair;

    use super::*;

    fn connections(configure: impl FnOnce(&mut GatewayConfig)) -> Arc<Connections> {
        let keypair = Arc::new(Keypair::new_from_array([8; 32]));
        let store = std::path::PathBuf::from("unused.sqlite");
        let mut config = GatewayConfig::new("http://unused.invalid", keypair, store);
        configure(&mut config);
        Connections::new(Arc::new(config), Arc::default())
    }

    fn permit(connections: &Arc<Connections>, peer: &str) -> Option<ConnectionPermit> {
        connections.permit(SocketAddr::new(peer.parse().unwrap(), 1))
    }

    #[test]
    fn ipv6_prefix_shares_connection_limit() {
        let connections = connections(|config| config.limits.connections_per_address = 1);
        let permit = |peer| permit(&connections, peer);
        let first = permit("2001:db8::1").unwrap();
        assert!(permit("2001:db8::ffff:2").is_none(), "the same network");
        assert!(permit("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(permit("2001:db8::ffff:2").is_some());
    }

    #[test]
    fn crowded_address_loses_idle_connection() {
        let connections = connections(|config| {
            (config.limits.connections, config.limits.connections_per_address) = (8, 5);
        });
        let permit = |peer| permit(&connections, peer);
        let busy = permit("192.0.2.1").unwrap();
        busy.open.begin_request();
        let mut crowd: Vec<_> = (0..4).map(|_| permit("192.0.2.1").unwrap()).collect();
        crowd.extend((0..3).map(|_| permit("192.0.2.2").unwrap()));
        let served = permit("192.0.2.3").unwrap();
        let evicted: Vec<_> = crowd.iter().filter(|one| one.open.evicted.is_cancelled()).collect();
        assert_eq!(evicted.len(), 1);
        assert_eq!(evicted[0].open.address, "192.0.2.1".parse::<IpAddr>().unwrap());
        assert!(!busy.open.evicted.is_cancelled() && !served.open.evicted.is_cancelled());
        assert!(permit("192.0.2.1").is_none(), "it has the most");
        drop(crowd);
        let open = connections.open.lock();
        assert_eq!((open.total, open.by_address.len()), (2, 2));
    }

    #[test]
    fn reserve_serves_addresses_with_few() {
        let connections = connections(|config| config.limits.connections = 32);
        let busy = |peer| {
            let permit = permit(&connections, peer)?;
            permit.open.begin_request();
            Some(permit)
        };
        let crowd: Vec<_> = std::iter::from_fn(|| busy("192.0.2.1")).collect();
        assert_eq!(crowd.len(), 30);
        let served = [busy("192.0.2.2").unwrap(), busy("192.0.2.3").unwrap()];
        assert!(busy("192.0.2.4").is_none(), "none is idle");
        // The end of a response may be on its way.
        crowd[0].open.end_request();
        assert!(busy("192.0.2.4").is_none());
        drop(served);
    }

    #[test]
    fn connections_of_proxies_are_kept() {
        let connections = connections(|config| {
            config.limits.connections = 4;
            config.trusted_proxies = vec!["192.0.2.1/32".parse().unwrap()];
        });
        let kept: Vec<_> = (0..4).map(|_| permit(&connections, "192.0.2.1").unwrap()).collect();
        assert!(permit(&connections, "192.0.2.2").is_none());
        assert!(kept.iter().all(|one| !one.open.evicted.is_cancelled()));
    }
}
