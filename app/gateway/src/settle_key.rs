//! The operator's settle key: whether this process has the one that settles.

use std::{sync::Arc, time::Duration};

use motif_sdk::{Pubkey, operator::Operator};
use parking_lot::RwLock;
use solana_signer::Signer;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{GatewayConfig, chain::ChainError, cluster::Cluster, error::GatewayError};

/// Time between two reads of the operator's account. A rotation takes effect 15 minutes after it is
/// ordered, so a running gateway knows of it before.
const READ_EVERY: Duration = Duration::from_secs(60);

/// Settle key of this process, compared with the one on chain.
pub struct SettleKey {
    operator: Pubkey,
    key: Pubkey,
    cluster: Arc<Cluster>,
    /// Operator's account as last read.
    account: RwLock<Option<Operator>>,
}

impl SettleKey {
    /// Creates the settle key of a configuration. Before the first read it counts as valid.
    pub(crate) fn new(config: &GatewayConfig, cluster: Arc<Cluster>) -> Self {
        let (operator, key) = (config.operator, config.keypair.pubkey());
        Self { operator, key, cluster, account: RwLock::default() }
    }

    /// Checks that this process can settle what it acknowledges: it has the present settle key, or
    /// the one of a pending rotation.
    ///
    /// # Errors
    /// [`GatewayError::SettleKeyReplaced`].
    pub fn check(&self) -> Result<(), GatewayError> {
        let account = self.account.read();
        let Some(account) = &*account else { return Ok(()) };
        let (key, now) = (self.key, self.cluster.now());
        let pending = account.settle_rotates_at != i64::MAX && account.next_settle_key == key;
        let present = *account.settle_key_at(now);
        if present == key || pending {
            return Ok(());
        }
        Err(GatewayError::SettleKeyReplaced { key, present })
    }

    /// Reads the operator's account.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`]; the last read stays in effect.
    pub async fn refresh(&self) -> Result<(), ChainError> {
        if let Some(account) = self.cluster.chain().operator(&self.operator).await? {
            *self.account.write() = Some(account);
        }
        Ok(())
    }

    /// Reads the operator's account every minute until `stop` is cancelled.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let read = tokio::select! {
                () = stop.cancelled() => return,
                read = self.refresh() => read,
            };
            match read {
                Ok(()) => self.warn(),
                Err(error) => tracing::debug!(%error, "the operator's account was not read"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(READ_EVERY) => {}
            }
        }
    }

    fn warn(&self) {
        if let Err(error) = self.check() {
            tracing::error!(%error, "generations are refused: restart with the present settle key");
            return;
        }
        let account = self.account.read();
        let replaced = account.as_ref().filter(|account| {
            account.settle_rotates_at != i64::MAX && account.next_settle_key != self.key
        });
        if let Some(account) = replaced {
            let (next, at) = (account.next_settle_key, account.settle_rotates_at);
            tracing::warn!(%next, at, "the settle key will be replaced: restart with the next");
        }
    }
}
