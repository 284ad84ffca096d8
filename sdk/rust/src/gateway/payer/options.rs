use std::path::PathBuf;

use motif_payer::PayerPolicy;

use crate::operator::ReceiptKeys;

/// Settings of a payer.
#[derive(Clone, Debug, Default)]
pub struct PayerOptions {
    /// Limits of what it signs. Default: the whole deposit.
    pub policy: PayerPolicy,
    /// File of its state: the open statement, the unanswered batch, and receipts that were not exported.
    /// One process at a time has it. Default: the state ends with the payer.
    pub state: Option<PathBuf>,
    /// Keys that sign the receipts of the channel's operator, read from its account on chain.
    /// Default: the operator's authority signs them.
    pub receipt_keys: Option<ReceiptKeys>,
}
