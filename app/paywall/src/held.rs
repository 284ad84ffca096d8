use std::sync::Arc;

use motif_sdk::gateway::wire::AskToPay;

use crate::{
    body_budget::BodyShare,
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
    /// Share of the request's body in the budget, until the model server has answered.
    pub _body: BodyShare,
}
