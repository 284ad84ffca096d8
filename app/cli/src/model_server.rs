//! `motif model-server`: the example of a model server, to put behind a paywall.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

use clap::Args;
use motif_model_server::ModelServer;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::{
    error::CliError,
    session::{Session, stop_signal},
};

/// Default port: the one that `docs/examples/paywall.toml` names.
pub const PORT: u16 = 8_789;

/// Arguments of `motif model-server`.
#[derive(Args)]
pub struct ModelServerArgs {
    /// Listen address; port 0 selects a free port
    #[arg(long, value_name = "IP:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)))]
    listen: SocketAddr,
}

/// Output of `motif model-server`, once it is ready.
#[derive(Serialize)]
struct ModelServerOutput {
    url: String,
}

pub async fn run(args: &ModelServerArgs, session: &Session) -> Result<(), CliError> {
    let refuse = |error| CliError::Listen { listen: args.listen.to_string(), error };
    let stopped = stop_signal()?;
    let listener = TcpListener::bind(args.listen).await.map_err(refuse)?;
    let url = format!("http://{}", listener.local_addr().map_err(refuse)?);
    session.print(&ModelServerOutput { url });
    tokio::select! {
        ended = ModelServer::default().serve(listener) => {
            ended.map_err(|error| CliError::ModelServer(error.to_string()))
        }
        () = stopped => Ok(()),
    }
}

impl fmt::Display for ModelServerOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "model server at {}; Ctrl-C stops it", self.url)
    }
}
