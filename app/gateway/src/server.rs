use std::{net::SocketAddr, sync::Arc, time::Duration};

use motif_paywall::{Paywall, PaywallConfig};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    App, GatewayConfig, StartError,
    chain::{Chain, RpcChain},
    connections::Connections,
    error::GatewayError,
    paywall,
    router::{admin_router, paywall_router, router},
    store::{Failpoints, NoFailpoints},
};

/// A running gateway.
pub struct RunningGateway {
    app: App,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    paywall_address: Option<SocketAddr>,
    stop: CancellationToken,
    /// Tasks that end after `stop` is cancelled.
    tasks: Vec<JoinHandle<()>>,
    settlement: JoinHandle<()>,
    lease_renewal: JoinHandle<()>,
}

/// Runs a gateway until it is shut down. An existing store is continued.
///
/// # Errors
/// [`StartError`].
pub async fn serve(config: GatewayConfig) -> Result<RunningGateway, StartError> {
    let chain = Arc::new(RpcChain::with_fees(&config.rpc_urls, config.settle.priority_fee));
    serve_with(config, chain).await
}

/// Runs a gateway on the given chain.
///
/// # Errors
/// [`StartError`].
pub async fn serve_with(
    config: GatewayConfig,
    chain: Arc<dyn Chain>,
) -> Result<RunningGateway, StartError> {
    serve_watched(config, chain, Arc::new(NoFailpoints)).await
}

/// Runs a gateway on the given chain with failpoints.
///
/// # Errors
/// [`StartError`].
pub async fn serve_watched(
    config: GatewayConfig,
    chain: Arc<dyn Chain>,
    failpoints: Arc<dyn Failpoints>,
) -> Result<RunningGateway, StartError> {
    config.faults().or(())?;
    let listeners = Listeners::bind(&config).await?;
    let (admin_address, paywall_address) = (address(&listeners.admin), address(&listeners.sold));
    let Listeners { public: (listener, address), admin, sold } = listeners;
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let paywall = config.paywall.clone();
    let app = App::open(config, chain, failpoints, url.trim_end_matches('/')).await?;
    let lease_renewal = tokio::spawn(app.lease_renewal().run_lease_renewal());
    let stop = CancellationToken::new();
    let paywall = match paywall {
        Some(config) => Some(open_paywall(&app, config.paywall, &stop)?),
        None => None,
    };
    let selling = app.sales.clone().map(|sales| {
        let routes = paywall.as_ref().map(|paywall| paywall.routes().clone());
        tokio::spawn(sales.run(routes, stop.clone()))
    });
    let settlement = tokio::spawn(app.settlement_worker().run(stop.clone()));
    let serve = |listener, router| {
        let connections = Connections::new(app.config.clone(), app.metrics.clone());
        tokio::spawn(connections.serve(listener, router, stop.clone()))
    };
    let mut tasks = vec![serve(listener, router(app.clone(), paywall.clone()))];
    if let (Some((listener, _)), Some(paywall)) = (sold, paywall) {
        tasks.push(serve(listener, paywall_router(&app, paywall.clone())));
        tasks.push(tokio::spawn(paywall.run()));
    }
    tasks.extend(admin.map(|(listener, _)| serve(listener, admin_router(app.clone()))));
    tasks.extend(selling);
    tasks.push(tokio::spawn(app.works_follower().run(stop.clone())));
    tasks.push(tokio::spawn(app.operator_keys.clone().run(stop.clone())));
    tasks.push(tokio::spawn(app.funds.clone().run(stop.clone())));
    tasks.push(tokio::spawn(app.hold_pruner().run(stop.clone())));
    let (recorded, until) = (app.clone(), stop.clone());
    tasks.push(tokio::spawn(async move { recorded.record.run(until).await }));
    tasks.push(tokio::spawn(app.event_source().run(stop.clone())));
    tasks.push(tokio::spawn(app.webhook_sender().run(stop.clone())));
    Ok(RunningGateway {
        app,
        address,
        admin_address,
        paywall_address,
        stop,
        tasks,
        settlement,
        lease_renewal,
    })
}

/// Listener with its address.
type Bound = (TcpListener, SocketAddr);

struct Listeners {
    public: Bound,
    admin: Option<Bound>,
    sold: Option<Bound>,
}

impl Listeners {
    /// Listens on all addresses of a configuration.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    async fn bind(config: &GatewayConfig) -> Result<Self, StartError> {
        let public = bind("listen", config.listen).await?;
        let admin = match &config.admin {
            Some(admin) => Some(bind("admin.listen", admin.listen).await?),
            None => None,
        };
        let sold = match &config.paywall {
            Some(paywall) => Some(bind("paywall.listen", paywall.listen).await?),
            None => None,
        };
        Ok(Self { public, admin, sold })
    }
}

async fn bind(setting: &'static str, address: SocketAddr) -> Result<Bound, StartError> {
    let failed = |source| StartError::Listen { setting, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn address(bound: &Option<Bound>) -> Option<SocketAddr> {
    bound.as_ref().map(|(_, address)| *address)
}

/// Checks that all addresses of a configuration can be listened on.
///
/// # Errors
/// [`StartError::Listen`].
pub async fn check_listeners(config: &GatewayConfig) -> Result<(), StartError> {
    Listeners::bind(config).await.map(drop)
}

fn open_paywall(
    app: &App,
    config: PaywallConfig,
    stop: &CancellationToken,
) -> Result<Paywall, StartError> {
    let path = config.spool.clone();
    let opened = paywall::open(app, config, stop.clone());
    opened.map_err(|source| StartError::Spool { path, source })
}

impl RunningGateway {
    /// Returns the listen address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the base URL of the admin listener, if there is one.
    pub fn admin_url(&self) -> Option<String> {
        self.admin_address.map(|address| format!("http://{address}"))
    }

    /// Returns the base URL of the paywall, if there is one.
    pub fn paywall_url(&self) -> Option<String> {
        self.paywall_address.map(|address| format!("http://{address}"))
    }

    /// Returns the gateway's components.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Waits until the gateway can serve no more: the store has failed, or the settlement worker is
    /// stalled. A restart repairs both. Calls `alive` at least every `pause` until then.
    pub async fn failed(&self, pause: Duration, mut alive: impl FnMut()) -> GatewayError {
        loop {
            if let Err(error) = self.app.health.check_alive() {
                return error;
            }
            alive();
            tokio::time::sleep(pause).await;
        }
    }

    /// Fails readiness, and goes on serving for `pause`, so that load balancers stop sending requests
    /// before the listeners close.
    pub async fn drain(&self, pause: Duration) {
        self.app.health.drain();
        tokio::time::sleep(pause).await;
    }

    /// Stops accepting requests, finishes those in progress, closes the store, and sends the
    /// last traces.
    pub async fn shutdown(self) {
        self.stop.cancel();
        // Tasks log their own failures.
        for task in self.tasks {
            let _ = task.await;
        }
        let _ = self.settlement.await;
        self.lease_renewal.abort();
        let _ = self.lease_renewal.await;
        self.app.close().await;
    }
}
