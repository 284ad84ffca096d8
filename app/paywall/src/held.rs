use std::sync::Arc;

use motif_sdk::gateway::wire::AskToPay;

use crate::{
    engine::{AnswerId, Caller},
    route::PaidRoute,
};

/// Request with an amount on hold for its answer.
pub(super) struct Held {
    pub route: Arc<PaidRoute>,
    pub id: AnswerId,
    pub ask: AskToPay,
    pub request_digest: [u8; 32],
    /// Method and target of the request.
    pub target: String,
    pub caller: Arc<dyn Caller>,
}
