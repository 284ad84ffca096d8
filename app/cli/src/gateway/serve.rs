use std::{fmt, future::pending, sync::Arc, time::Duration};

use async_trait::async_trait;
use clap::Args;
use motif_gateway::{FaucetHandle, GatewayConfig, RunningGateway, check_listeners, serve};
use motif_localnet::{Faucet, FaucetError};
use motif_sdk::Pubkey;
use serde::Serialize;
use tokio::time::timeout;

use super::{
    preparation::{prepare, prepare_later},
    settings::SettingsArgs,
    supervisor::Supervisor,
};
use crate::{
    amount::percent,
    credentials::AnchorArgs,
    error::CliError,
    operator::GivenConditions,
    output::pairs,
    session::{Session, stop_signal},
};

/// Maximum time of a shutdown after a failure.
const FAILED_SHUTDOWN: Duration = Duration::from_secs(5);
/// Files that are no connections of clients: store, journal, spool, nodes, logs.
const OTHER_FILES: u64 = 512;

/// Arguments of `motif gateway serve`.
#[derive(Args)]
pub struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    anchors: AnchorArgs,
}

/// Output of `motif gateway serve`, once it is ready.
#[derive(Serialize)]
struct ServeOutput {
    url: String,
    admin_url: Option<String>,
    paywall_url: Option<String>,
    operator: String,
    operator_fee_bps: u16,
}

pub async fn run(args: ServeArgs, session: &Session) -> Result<(), CliError> {
    let read = args.settings.read_layers(session);
    let (mut config, layers) = read.map_err(CliError::GatewaySettings)?;
    let given = GivenConditions::new(&layers);
    for warning in config.warnings().iter() {
        session.status(format_args!("warning: {warning}"));
    }
    config.decoding = args.anchors.worker()?;
    config.faucet = faucet(&config.rpc_urls);
    // Before anything is written on chain.
    check_listeners(&config).await?;
    let mut is_prepared = prepare(session, &mut config, given).await?;
    let stopped = stop_signal()?;
    tokio::pin!(stopped);
    warn_of_file_limit(&config, session);
    let (supervisor, drain) = (Supervisor::from_environment(), config.drain);
    let mut gateway = serve(config.clone()).await?;
    session.print(&ServeOutput::new(&gateway));
    supervisor.ready();
    config.listen = gateway.local_addr();
    let failure = loop {
        let preparation = async {
            match is_prepared {
                true => pending().await,
                false => prepare_later(session, &config, given).await,
            }
        };
        let prepared = tokio::select! {
            () = &mut stopped => break None,
            error = gateway.failed(supervisor.pause(), || supervisor.alive()) => {
                supervisor.failed(&error.to_string());
                break Some(CliError::GatewayFailed(error));
            }
            prepared = preparation => prepared,
        };
        is_prepared = true;
        match prepared {
            Ok(None) => {}
            Ok(Some(prepared)) => {
                supervisor.report_while(gateway.shutdown()).await;
                gateway = supervisor.report_while(serve(prepared)).await?;
            }
            Err(error) => {
                supervisor.failed(&session.scrub(&error.to_string()));
                break Some(error);
            }
        }
    };
    if let Some(error) = failure {
        match error {
            // Requests in progress cannot be answered, and a stalled worker never stops.
            CliError::GatewayFailed(_) => drop(timeout(FAILED_SHUTDOWN, gateway.shutdown()).await),
            _ => gateway.shutdown().await,
        }
        return Err(error);
    }
    supervisor.stopping();
    session.status("shutting down: waiting for requests in progress");
    tokio::select! {
        () = gateway.drain(drain) => {}
        () = stop_signal()? => session.status("a second signal ends the drain"),
    }
    gateway.shutdown().await;
    Ok(())
}

/// Returns the faucet of a localnet, for the studio; `None` for nodes of other machines. The gateway gives
/// nothing on a public cluster.
fn faucet(rpc_urls: &[String]) -> Option<FaucetHandle> {
    let [rpc_url] = rpc_urls else { return None };
    Some(FaucetHandle(Arc::new(LocalnetFaucet(Faucet::new(rpc_url.as_str())))))
}

/// Faucet of a localnet.
struct LocalnetFaucet(Faucet);

#[async_trait]
impl motif_gateway::Faucet for LocalnetFaucet {
    async fn give(&self, to: Pubkey, lamports: u64, dollars: u64) -> Result<(), String> {
        let failed = |error: FaucetError| match error {
            // It may name the node's URL.
            FaucetError::Rpc { request, .. } => format!("the localnet refuses {request}"),
            error => error.to_string(),
        };
        if lamports > 0 {
            self.0.airdrop_sol(&to, lamports).await.map_err(failed)?;
        }
        if dollars > 0 {
            self.0.mint_dollars(&to, dollars).await.map_err(failed)?;
        }
        Ok(())
    }
}

/// Warns if the process may open fewer files than its listeners accept connections.
fn warn_of_file_limit(config: &GatewayConfig, session: &Session) {
    let listeners = 1 + u64::from(config.admin.is_some()) + u64::from(config.paywall.is_some());
    let needed = listeners * u64::from(config.limits.connections) + OTHER_FILES;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(limit) = file_limit(&limits).filter(|limit| *limit < needed) {
        session.status(format!(
            "warning: {limit} files may be open, and `limits.connections` allows {needed}"
        ));
    }
}

/// Returns the soft limit of open files in the text of `/proc/self/limits`. Returns `None` without one.
fn file_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl ServeOutput {
    fn new(gateway: &RunningGateway) -> Self {
        let config = &gateway.app().config;
        Self {
            url: gateway.url(),
            admin_url: gateway.admin_url(),
            paywall_url: gateway.paywall_url(),
            operator: config.operator.to_string(),
            operator_fee_bps: config.operator_fee_bps,
        }
    }
}

impl fmt::Display for ServeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[
            ("URL", &self.url),
            ("admin URL", &self.admin_url.as_deref().unwrap_or("disabled")),
            ("paywall URL", &self.paywall_url.as_deref().unwrap_or("disabled")),
            ("operator", &self.operator),
            ("fee", &format_args!("{} on top of prices", percent(self.operator_fee_bps))),
        ]);
        write!(formatter, "gateway is ready; Ctrl-C stops it and keeps its store\n{facts}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_limit_of_files_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             62821                62821                processes\n\
                      Max open files            1024                 1048576              files\n";
        assert_eq!(file_limit(limits), Some(1_024));
        assert_eq!(file_limit("Max open files            unlimited unlimited files"), None);
        assert_eq!(file_limit(""), None);
    }
}
