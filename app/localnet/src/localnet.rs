use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{Faucet, LocalnetConfig, LocalnetError, clock, ports::Ports, surfnet::Surfnet};

/// Usually half a second; a busy machine may take ten times that.
const START_WITHIN: Duration = Duration::from_secs(20);
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// For a network that failed to start.
const CLEAN_UP_WITHIN: Duration = Duration::from_secs(2);

/// A running network. Stop it with [`Localnet::stop`]; dropping it stops it too, without waiting
/// for the ports.
pub struct Localnet {
    // Fields drop in this order: the network ends before its ports are given away.
    surfnet: Surfnet,
    ports: Ports,
}

impl Localnet {
    /// Starts a network and returns when it answers, its programs are loaded and its test dollar
    /// exists. Needs a tokio runtime of any flavor. Gives up after 20 seconds, and tries a second
    /// time, saying so in the log, unless the reason would be there again.
    ///
    /// # Errors
    /// - [`LocalnetError::PortTaken`]: a port asked for by number is not free.
    /// - [`LocalnetError::BadProgram`]: one of the programs does not load.
    /// - [`LocalnetError::StartTimedOut`]: nothing within the time, twice.
    pub async fn start(config: LocalnetConfig) -> Result<Self, LocalnetError> {
        let first = Self::start_once(&config).await;
        match first {
            Err(
                error @ (LocalnetError::StartTimedOut(_)
                | LocalnetError::NotStarted(_)
                | LocalnetError::Faucet(_)),
            ) => {
                tracing::warn!(%error, "the localnet did not come up; trying once more");
                Self::start_once(&config).await
            }
            settled => settled,
        }
    }

    async fn start_once(config: &LocalnetConfig) -> Result<Self, LocalnetError> {
        let deadline = Instant::now() + START_WITHIN;
        let ports = Ports::choose(config)?;
        let surfnet = Surfnet::spawn(config.clone(), &ports)?;
        let mut localnet = Self { surfnet, ports };

        let settled = timeout_at(deadline, async {
            localnet.surfnet.ready().await?;
            localnet.faucet().create_test_dollar().await?;
            Ok(())
        })
        .await
        .unwrap_or(Err(LocalnetError::StartTimedOut(START_WITHIN)));
        match settled {
            Ok(()) => {
                tracing::info!(
                    rpc = localnet.rpc_url(),
                    websocket = localnet.ws_url(),
                    "localnet is up"
                );
                Ok(localnet)
            }
            Err(error) => {
                // Gives numbered ports back before the second try; what hangs here was hanging
                // before.
                let _ = timeout(CLEAN_UP_WITHIN, localnet.stop()).await;
                Err(error)
            }
        }
    }

    /// Where JSON-RPC is answered, for example `http://127.0.0.1:20480`.
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.rpc)
    }

    /// Where subscriptions are taken, for example `ws://127.0.0.1:20481`.
    pub fn ws_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.ports.websocket)
    }

    /// Gives SOL and test dollars on this localnet.
    pub fn faucet(&self) -> Faucet {
        Faucet::new(self.rpc_url())
    }

    /// Moves the clock on chain into the future by `seconds`; returns the unix time it then shows.
    /// There is no way back. From another process: [`clock::advance_seconds`].
    ///
    /// # Errors
    /// - [`LocalnetError::Rpc`]: the network did not answer.
    pub async fn advance_seconds(&self, seconds: u64) -> Result<i64, LocalnetError> {
        clock::advance_seconds(&self.rpc_url(), seconds).await
    }

    /// What the chain takes for now: unix seconds.
    ///
    /// # Errors
    /// - [`LocalnetError::Rpc`]: the network did not answer.
    pub async fn unix_time(&self) -> Result<i64, LocalnetError> {
        clock::unix_time(&self.rpc_url()).await
    }

    /// Ends the network and returns when its ports are free again. Everything on chain is gone.
    ///
    /// # Errors
    /// - [`LocalnetError::StopTimedOut`]: something of it is still there after 10 seconds.
    pub async fn stop(self) -> Result<(), LocalnetError> {
        let Self { surfnet, ports } = self;
        let stopped = timeout(STOP_WITHIN, async {
            surfnet.stop().await?;
            // The servers' threads are gone; the kernel may take a moment with their sockets.
            while !ports.are_released() {
                sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        });
        stopped.await.unwrap_or(Err(LocalnetError::StopTimedOut(STOP_WITHIN)))
    }
}
