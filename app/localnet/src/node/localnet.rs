use std::time::Duration;

use super::{config::LocalnetConfig, ports::Listeners, server::Server};
use crate::{Faucet, LocalnetError, clock};

/// Interval at which [`Localnet::failed`] looks at the network's thread.
const FAILURE_POLL: Duration = Duration::from_millis(500);

/// A running network. Stop it with [`Localnet::stop`]; dropping it stops it too, without waiting
/// for the ports.
pub struct Localnet {
    server: Server,
    rpc_port: u16,
    websocket_port: u16,
}

impl Localnet {
    /// Starts a network and returns once its programs are loaded and its test dollar exists.
    /// Needs a tokio runtime of any flavor.
    ///
    /// # Errors
    /// - [`LocalnetError::PortTaken`]: a configured port is in use.
    /// - [`LocalnetError::BadProgram`]: one of the programs does not load.
    pub async fn start(config: LocalnetConfig) -> Result<Self, LocalnetError> {
        let listeners = Listeners::bind(&config)?;
        let (rpc_port, websocket_port) = listeners.ports().map_err(LocalnetError::NotStarted)?;
        let server = Server::start(listeners, config.programs).await?;
        let localnet = Self { server, rpc_port, websocket_port };
        localnet.faucet().create_test_dollar().await?;
        tracing::info!(
            rpc = localnet.rpc_url(),
            websocket = localnet.ws_url(),
            "the localnet started"
        );
        Ok(localnet)
    }

    /// Returns the URL of the JSON-RPC server, such as `http://127.0.0.1:20480`.
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// Returns the URL of the websocket server, such as `ws://127.0.0.1:20481`.
    pub fn ws_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.websocket_port)
    }

    /// Returns the faucet of this localnet.
    pub fn faucet(&self) -> Faucet {
        Faucet::new(self.rpc_url())
    }

    /// Moves the chain's clock forward by `seconds` and returns the unix time it then shows, in
    /// seconds. From another process: [`clock::advance_seconds`].
    ///
    /// # Errors
    /// [`LocalnetError::Rpc`] if the network does not answer.
    pub async fn advance_seconds(&self, seconds: u64) -> Result<i64, LocalnetError> {
        clock::advance_seconds(&self.rpc_url(), seconds).await
    }

    /// Returns the unix time of the chain's clock, in seconds.
    ///
    /// # Errors
    /// [`LocalnetError::Rpc`] if the network does not answer.
    pub async fn unix_time(&self) -> Result<i64, LocalnetError> {
        clock::unix_time(&self.rpc_url()).await
    }

    /// Waits until the network has ended without a call of [`Localnet::stop`], which is a failure.
    pub async fn failed(&self) {
        while !self.server.has_ended() {
            tokio::time::sleep(FAILURE_POLL).await;
        }
    }

    /// Stops the network and returns once its ports are free. All accounts are lost, and requests
    /// in progress are cut off.
    ///
    /// # Errors
    /// [`LocalnetError::Panicked`] if the network had ended in a panic.
    pub async fn stop(self) -> Result<(), LocalnetError> {
        self.server.stop().await
    }
}
