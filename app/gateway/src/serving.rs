use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Gateway, GatewayConfig, PaywallConfig, StartError,
    chain::{Chain, RpcChain},
    connections,
    paywall::Paywall,
    recognition::Follower,
    router::{admin_router, paywall_router, router},
    settlement::Worker,
    store::{Failpoints, NoFailpoints},
};

/// A gateway that serves.
pub struct RunningGateway {
    gateway: Gateway,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    paywall_address: Option<SocketAddr>,
    stop: CancellationToken,
    serving: Vec<JoinHandle<()>>,
    worker: JoinHandle<()>,
    leases: JoinHandle<()>,
}

/// Runs a gateway until it is shut down. Where a store is left from before, it goes on there.
///
/// # Errors
/// [`StartError`].
pub async fn serve(config: GatewayConfig) -> Result<RunningGateway, StartError> {
    let chain = Arc::new(RpcChain::new(&config.rpc_urls));
    serve_with(config, chain).await
}

/// As [`serve`], on a chain of the caller's.
pub async fn serve_with(
    config: GatewayConfig,
    chain: Arc<dyn Chain>,
) -> Result<RunningGateway, StartError> {
    serve_watched(config, chain, Arc::new(NoFailpoints)).await
}

/// As [`serve_with`]; hits `failpoints` between the steps of a payment and of a settlement.
///
/// # Errors
/// [`StartError`].
pub async fn serve_watched(
    config: GatewayConfig,
    chain: Arc<dyn Chain>,
    failpoints: Arc<dyn Failpoints>,
) -> Result<RunningGateway, StartError> {
    config.faults().or(())?;
    let listener = TcpListener::bind(config.listen).await?;
    let admin = match &config.admin {
        Some(admin) => Some(TcpListener::bind(admin.listen).await?),
        None => None,
    };
    let sold = match &config.paywall {
        Some(paywall) => Some(TcpListener::bind(paywall.listen).await?),
        None => None,
    };
    let address = listener.local_addr()?;
    let paywall_address = sold.as_ref().map(TcpListener::local_addr).transpose()?;
    let admin_address = admin.as_ref().map(TcpListener::local_addr).transpose()?;
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let paywall = config.paywall.clone();
    let gateway = Gateway::open(config, chain, failpoints, url.trim_end_matches('/')).await?;
    let leases = tokio::spawn(gateway.clone().go_on_keeping_leases());
    let stop = CancellationToken::new();
    let paywall = paywall.map(|config| open_paywall(&gateway, config, &stop)).transpose()?;
    let worker = tokio::spawn(Worker::new(gateway.clone()).run(stop.clone()));
    let answer = |listener, router| {
        tokio::spawn(connections::answer(listener, router, gateway.clone(), stop.clone()))
    };
    let mut serving = vec![answer(listener, router(gateway.clone(), paywall.clone()))];
    if let (Some(listener), Some(paywall)) = (sold, paywall) {
        serving.push(answer(listener, paywall_router(paywall.clone())));
        serving.push(tokio::spawn(paywall.tend()));
    }
    serving.extend(admin.map(|listener| answer(listener, admin_router(gateway.clone()))));
    serving.push(tokio::spawn(Follower::new(gateway.clone()).run(stop.clone())));
    Ok(RunningGateway {
        gateway,
        address,
        admin_address,
        paywall_address,
        stop,
        serving,
        worker,
        leases,
    })
}

fn open_paywall(
    gateway: &Gateway,
    config: PaywallConfig,
    stop: &CancellationToken,
) -> Result<Paywall, StartError> {
    let path = config.spool.clone();
    let opened = Paywall::open(gateway.clone(), config, stop.clone());
    opened.map_err(|source| StartError::Spool { path, source })
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

    /// The base URL of the operators' listener, if there is one.
    pub fn admin_url(&self) -> Option<String> {
        self.admin_address.map(|address| format!("http://{address}"))
    }

    /// The base URL of what is sold, if anything is.
    pub fn paywall_url(&self) -> Option<String> {
        self.paywall_address.map(|address| format!("http://{address}"))
    }

    /// The gateway itself.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Takes no new requests, finishes those it has, closes the store, and sends the
    /// last traces.
    pub async fn shutdown(self) {
        self.stop.cancel();
        // All end by themselves once told to; how they fail has been logged where it happened.
        for serving in self.serving {
            let _ = serving.await;
        }
        let _ = self.worker.await;
        self.leases.abort();
        let _ = self.leases.await;
        self.gateway.close_store().await;
        if let Some(traces) = self.gateway.traces() {
            traces.stop().await;
        }
    }
}
