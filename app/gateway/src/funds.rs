//! The operator's balance, which pays for settlements.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use motif_sdk::Pubkey;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{chain::ChainError, cluster::Cluster, error::GatewayError};

/// Balance that one settlement needs, lamports: its fee, and what an account keeps to be exempt from
/// rent.
const SETTLEMENT: u64 = 910_880;
/// Pause between two reads of the balance.
const EVERY: Duration = Duration::from_secs(30);

/// Balance of the fee payer, read from the cluster.
pub struct Funds {
    cluster: Arc<Cluster>,
    account: Pubkey,
    /// Minimum balance, lamports; 0 if the balance does not matter.
    least: u64,
    /// Last balance read, lamports; `u64::MAX` before the first read.
    lamports: AtomicU64,
}

impl Funds {
    /// Balance before the first read.
    const UNKNOWN: u64 = u64::MAX;

    /// Creates the balance of an account that should have at least `least` lamports.
    pub fn new(cluster: Arc<Cluster>, account: Pubkey, least: u64) -> Self {
        Self { cluster, account, least, lamports: AtomicU64::new(Self::UNKNOWN) }
    }

    /// Reads the balance.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`]; the last balance is kept.
    pub async fn observe(&self) -> Result<u64, ChainError> {
        let lamports = self.cluster.chain().balance(&self.account).await?;
        self.lamports.store(lamports, Ordering::Relaxed);
        Ok(lamports)
    }

    /// Returns the last balance read, lamports.
    pub fn lamports(&self) -> Option<u64> {
        let lamports = self.lamports.load(Ordering::Relaxed);
        (lamports != Self::UNKNOWN).then_some(lamports)
    }

    /// Checks that the balance is at least the configured minimum.
    ///
    /// # Errors
    /// [`GatewayError::OperatorUnfunded`].
    pub fn check_floor(&self) -> Result<(), GatewayError> {
        self.check(self.least)
    }

    /// Checks that the balance pays for a settlement.
    ///
    /// # Errors
    /// [`GatewayError::OperatorUnfunded`].
    pub fn check_payable(&self) -> Result<(), GatewayError> {
        self.check(self.least.min(SETTLEMENT))
    }

    fn check(&self, least: u64) -> Result<(), GatewayError> {
        match self.lamports() {
            Some(lamports) if lamports < least => {
                Err(GatewayError::OperatorUnfunded { lamports, least })
            }
            _ => Ok(()),
        }
    }

    /// Reads the balance periodically until `stop` is cancelled. The start was the first read.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(EVERY) => {}
            }
            if let Err(error) = self.observe().await {
                tracing::debug!(%error, "the operator's balance was not read");
            } else if let Err(error) = self.check_floor() {
                tracing::error!(account = %self.account, %error, "the operator needs SOL");
            }
        }
    }
}
