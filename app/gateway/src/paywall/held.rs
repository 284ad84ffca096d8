use std::sync::Arc;

use motif_sdk::gateway::wire::AskToPay;

use super::PaidRoute;
use crate::{keys::Caller, ledger::HoldId};

/// Request with an amount on hold for its answer.
pub(super) struct Held {
    pub route: Arc<PaidRoute>,
    pub id: HoldId,
    pub ask: AskToPay,
    pub request_digest: [u8; 32],
    /// Method and target of the request.
    pub target: String,
    pub caller: Caller,
}
