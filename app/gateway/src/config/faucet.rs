use std::{fmt, sync::Arc};

use async_trait::async_trait;
use motif_sdk::Pubkey;

/// Source of test tokens on a localnet.
#[async_trait]
pub trait Faucet: Send + Sync {
    /// Gives lamports and base units of the test dollar; of either possibly none.
    ///
    /// # Errors
    /// A message for the receiver.
    async fn give(&self, to: Pubkey, lamports: u64, dollars: u64) -> Result<(), String>;
}

/// Faucet of a configuration.
#[derive(Clone)]
pub struct FaucetHandle(pub Arc<dyn Faucet>);

impl fmt::Debug for FaucetHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FaucetHandle")
    }
}
