use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Gateway, GatewayConfig, StartError,
    chain::{Chain, RpcChain},
    connections,
    router::router,
    settlement::Worker,
};

/// A gateway that serves.
pub struct RunningGateway {
    gateway: Gateway,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    worker: JoinHandle<()>,
}

/// Runs a gateway until it is shut down. Where a store is left from before, it goes on there.
///
/// # Errors
/// [`StartError`].
pub async fn serve(config: GatewayConfig) -> Result<RunningGateway, StartError> {
    let chain = Arc::new(RpcChain::new(&config.rpc_url));
    serve_with(config, chain).await
}

/// As [`serve`], on a chain of the caller's.
pub async fn serve_with(
    config: GatewayConfig,
    chain: Arc<dyn Chain>,
) -> Result<RunningGateway, StartError> {
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let gateway = Gateway::open(config, chain).await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(Worker::new(gateway.clone()).run(stop.clone()));
    let answering = connections::answer(listener, router(gateway.clone()), stop.clone());
    let serving = tokio::spawn(answering);
    Ok(RunningGateway { gateway, address, stop, serving, worker })
}

impl RunningGateway {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The gateway itself.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Takes no new requests, finishes those it has, and closes the store.
    pub async fn shutdown(self) {
        self.stop.cancel();
        // Both end by themselves once told to; how they fail has been logged where it happened.
        let _ = self.serving.await;
        let _ = self.worker.await;
        self.gateway.close_store().await;
    }
}
