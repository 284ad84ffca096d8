use std::ops::Range;

use crate::{
    chain::ChainError,
    channel::ChannelHandle,
    cluster::Cluster,
    error::GatewayError,
    store::{Outcome, Store},
};

/// Submits the settlement transactions of statements again after the cluster dropped the fork
/// they had settled in. The signed bytes are unchanged, so each settles at most once.
///
/// # Errors
/// [`GatewayError::ChainUnreachable`] if no node accepts them; [`GatewayError::StoreFailed`].
pub async fn resubmit(
    cluster: &Cluster,
    store: &Store,
    channel: &ChannelHandle,
    statements: Range<u64>,
) -> Result<(), GatewayError> {
    tracing::error!(
        channel = %channel.address, first = statements.start, end = statements.end,
        "the cluster rolled settlements back; submitting them again"
    );
    for statement in statements {
        for (stored, outcome) in store.queries().transactions(channel.id(), statement).await? {
            if outcome != Outcome::Landed {
                continue;
            }
            match cluster.chain().submit(&stored.bytes, false).await {
                Ok(()) => {}
                // A node's preflight check still applies: the transaction may be settled already.
                Err(ChainError::Refused(reason) | ChainError::Final(reason)) => {
                    tracing::warn!(reason, "not accepted again");
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
