use std::sync::Arc;

use motif_signer::OperatorSigner;

/// Payment of creators' fees and rent.
#[derive(Clone, Debug)]
pub struct SponsorConfig {
    /// Key that pays. Its balance bounds what is spent, whatever happens.
    pub key: Arc<dyn OperatorSigner>,
    /// Maximum of a day, lamports.
    pub daily_lamports: u64,
    /// Maximum of a day for one wallet, lamports.
    pub wallet_lamports: u64,
}
