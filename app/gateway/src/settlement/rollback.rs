use std::ops::Range;

use crate::{Gateway, chain::ChainError, desk::Desk, problem::ApiError, store::Outcome};

impl Gateway {
    /// The cluster has left a block behind in which statements had settled. The transactions
    /// that settled them are sent again as they were signed: they land in the branch that goes
    /// on, once at most, or the cluster's nodes have brought them there already.
    ///
    /// # Errors
    /// [`ApiError::ChainUnreachable`] when no node takes them; [`ApiError::StoreFailed`].
    pub(crate) async fn land_again(
        &self,
        desk: &Desk,
        statements: Range<u64>,
    ) -> Result<(), ApiError> {
        self.metrics().rollbacks.inc();
        tracing::error!(
            channel = %desk.address, first = statements.start, end = statements.end,
            "the cluster has taken settlements back; sending them again"
        );
        for statement in statements {
            for (stored, outcome) in
                self.store().queries().transactions(desk.id(), statement).await?
            {
                if outcome != Outcome::Landed {
                    continue;
                }
                match self.chain().submit(&stored.bytes, false).await {
                    Ok(()) => {}
                    // Checked first by a node all the same: it says what the chain is now.
                    Err(ChainError::Refused(reason)) => tracing::warn!(reason, "not taken again"),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}
