use std::fmt;

use clap::Args;
use motif_gateway::{RunningGateway, serve};
use serde::Serialize;

use super::{
    preparation::{prepare, prepare_later},
    settings::SettingsArgs,
};
use crate::{
    amount::percent,
    credentials::AnchorArgs,
    error::CliError,
    output::pairs,
    session::{Session, stop_signal},
};

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
    let mut config = args.settings.read(session).map_err(CliError::GatewaySettings)?;
    config.decoding = args.anchors.worker()?;
    let is_prepared = prepare(session, &mut config).await?;
    let stopped = stop_signal()?;
    tokio::pin!(stopped);
    let mut gateway = serve(config.clone()).await?;
    session.print(&ServeOutput::new(&gateway));
    if !is_prepared {
        config.listen = gateway.local_addr();
        let prepared = tokio::select! {
            () = &mut stopped => None,
            prepared = prepare_later(session, &config) => Some(prepared),
        };
        match prepared {
            Some(Ok(None)) => {}
            Some(Ok(Some(prepared))) => {
                gateway.shutdown().await;
                gateway = serve(prepared).await?;
            }
            None | Some(Err(_)) => {
                gateway.shutdown().await;
                return prepared.map_or(Ok(()), |prepared| prepared.map(drop));
            }
        }
    }
    stopped.await;
    session.status("shutting down: waiting for requests in progress");
    gateway.shutdown().await;
    Ok(())
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
