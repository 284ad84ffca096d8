use std::{
    fmt::Debug,
    io,
    net::TcpListener as StdListener,
    sync::Arc,
    thread::{self, JoinHandle},
};

use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::IntoResponse,
    routing::{get, post},
    serve::{Listener, ListenerExt},
};
use jsonrpc_core::IoHandler;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};
use tower_http::cors::CorsLayer;

use super::{
    chain::{Chain, SLOT, SharedChain},
    ports::Listeners,
    program::Program,
    rpc, subscriptions,
};
use crate::LocalnetError;

/// Stack of the thread that runs programs; a cross-program invocation takes a few frames of it.
const STACK_BYTES: usize = 8 * 1_024 * 1_024;

/// The thread that runs a chain and its two servers. Dropping it ends the thread.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts the thread and waits until the programs are loaded.
    ///
    /// # Errors
    /// - [`LocalnetError::BadProgram`]: one of the programs does not load.
    /// - [`LocalnetError::NotStarted`]: the system refuses a thread.
    pub(crate) async fn start(
        listeners: Listeners,
        programs: Vec<Program>,
    ) -> Result<Self, LocalnetError> {
        let (stop, stopped) = oneshot::channel();
        let (started, start) = oneshot::channel();
        let run = move || {
            let chain = match Chain::new(&programs) {
                Ok(chain) => SharedChain::new(chain),
                Err(error) => {
                    let _ = started.send(Err(error)); // fails if the caller gave up
                    return;
                }
            };
            drop(programs);
            if let Err(error) = serve(listeners, chain, started, stopped) {
                tracing::error!(%error, "the localnet ended");
            }
        };
        let thread = thread::Builder::new().name("localnet".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn(run).map_err(LocalnetError::NotStarted)?;
        start.await.map_err(|_| LocalnetError::Panicked)??;
        Ok(Self { stop, thread })
    }

    /// Returns whether the thread has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the thread and waits until its sockets are closed.
    ///
    /// # Errors
    /// [`LocalnetError::Panicked`] if the thread had panicked.
    pub(crate) async fn stop(self) -> Result<(), LocalnetError> {
        let Self { stop, thread } = self;
        drop(stop);
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            _ => Err(LocalnetError::Panicked),
        }
    }
}

/// Serves until `stopped` ends. Connections end with the runtime.
fn serve(
    listeners: Listeners,
    chain: SharedChain,
    started: oneshot::Sender<Result<(), LocalnetError>>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let Listeners { rpc, websocket } = listeners;
        let (rpc, websocket) = (listener(rpc)?, TcpListener::from_std(websocket)?);
        let _ = started.send(Ok(())); // fails if the caller gave up
        tokio::select! {
            _ = stopped => Ok(()),
            served = answer_requests(rpc, &chain) => served,
            () = accept_subscribers(websocket, &chain) => Ok(()),
            () = make_blocks(&chain) => Ok(()),
        }
    })
}

fn listener(listener: StdListener) -> io::Result<impl Listener<Addr: Debug>> {
    Ok(TcpListener::from_std(listener)?.tap_io(|stream| {
        let _ = stream.set_nodelay(true); // an optimization only
    }))
}

async fn answer_requests(
    listener: impl Listener<Addr: Debug>,
    chain: &SharedChain,
) -> io::Result<()> {
    let router = Router::new()
        .route("/", post(answer))
        .route("/health", get(|| async { "ok" }))
        // Pages of any origin may use a node, as they may use a validator for tests.
        .layer(CorsLayer::permissive())
        .with_state(Arc::new(rpc::handler(chain)));
    axum::serve(listener, router).await
}

async fn answer(State(handler): State<Arc<IoHandler>>, request: String) -> impl IntoResponse {
    let response = handler.handle_request(&request).await.unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], response)
}

async fn accept_subscribers(listener: TcpListener, chain: &SharedChain) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true); // an optimization only
                tokio::spawn(subscriptions::serve(stream, chain.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a websocket connection was not accepted");
                tokio::time::sleep(SLOT).await;
            }
        }
    }
}

/// Makes a block every slot. Slots missed on a busy machine are left out.
async fn make_blocks(chain: &SharedChain) {
    let mut slots = interval(SLOT);
    slots.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        slots.tick().await;
        chain.lock().make_block();
    }
}
