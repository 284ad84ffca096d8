use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, extract::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{Gateway, admission::ClientAddress, config::Limits};

/// After the system could not give a connection: usually too many are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests may go on after the gateway was told to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// The most headers of a request.
const MAX_HEADERS: usize = 64;

/// Who is connected how often.
#[derive(Debug, Default)]
struct Open {
    by_address: HashMap<IpAddr, u32>,
    all: u32,
}

/// One connection's place among the open ones; free again when dropped.
struct Place {
    open: Arc<Mutex<Open>>,
    address: IpAddr,
    gateway: Gateway,
}

/// Answers connections until told to stop, and then finishes the requests that are under way.
pub async fn answer(
    listener: TcpListener,
    router: Router,
    gateway: Gateway,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let open = Arc::new(Mutex::new(Open::default()));
    // Each connection has its own below it: a shared one has locks, which every answer on every
    // connection would take.
    let stop_answering = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => match Place::take(&gateway, &open, peer) {
                Some(place) => {
                    let stop = stop_answering.child_token();
                    connections.spawn(converse(stream, peer, router.clone(), place, stop));
                }
                // The cheapest answer there is: the socket closes.
                None => {
                    gateway.metrics().connections_refused.inc();
                }
            },
            Err(error) => {
                tracing::warn!(%error, "no connection accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Whoever comes now is refused, and goes elsewhere, instead of waiting for nobody.
    drop(listener);
    stop_answering.cancel();
    connections.close();
    if timeout(DRAIN_WITHIN, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "requests were cut off");
    }
}

/// One connection, until either side ends it.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: Place,
    stop: CancellationToken,
) {
    let limits: Limits = place.gateway.config().limits;
    // Answers are one small packet; a socket that cannot do this is a slower one.
    let _ = stream.set_nodelay(true);
    let gateway = place.gateway.clone();
    let router = router.map_request(move |mut request: Request<Incoming>| {
        let trusted = &gateway.config().trusted_proxies;
        let client = ClientAddress::find(peer.ip(), request.headers(), trusted);
        request.extensions_mut().insert(client);
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
        tracing::debug!(%error, "a connection broke");
    }
    drop(place);
}

impl Place {
    /// `None` where there are too many connections, of this address or of all.
    fn take(gateway: &Gateway, open: &Arc<Mutex<Open>>, peer: SocketAddr) -> Option<Self> {
        let config = gateway.config();
        let address = peer.ip().to_canonical();
        let is_proxy = config.trusted_proxies.iter().any(|network| network.contains(&address));
        let most = if is_proxy { u32::MAX } else { config.limits.connections_per_address };
        let mut now = open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = now.by_address.get(&address).copied().unwrap_or(0);
        if own >= most || now.all >= config.limits.connections {
            return None;
        }
        now.by_address.insert(address, own + 1);
        now.all += 1;
        gateway.metrics().connections.inc();
        Some(Self { open: open.clone(), address, gateway: gateway.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut now = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        now.all = now.all.saturating_sub(1);
        if let Some(own) = now.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                now.by_address.remove(&self.address);
            }
        }
        self.gateway.metrics().connections.dec();
    }
}
