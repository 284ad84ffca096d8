use std::{pin::pin, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a client may take to send a request's head, or to say nothing between requests.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// After the system could not give a connection: usually too many are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests may go on after the gateway was told to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// Answers connections until told to stop, and then finishes the requests that are under way.
pub async fn answer(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, router.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "no connection accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    if timeout(DRAIN_WITHIN, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "requests were cut off");
    }
}

/// One connection, until either side ends it.
async fn converse(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Answers are one small packet; a socket that cannot do this is a slower one.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
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
}
