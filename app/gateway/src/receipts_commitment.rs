//! What a settlement commits to about its receipts.

use motif_sdk::{
    channel::ReceiptsCommitment,
    receipt::tree::{Node, Tree},
};

use crate::{
    error::GatewayError,
    store::{ChannelId, Store},
};

/// Returns the commitment to a statement's receipts, or `None` if it has none.
///
/// # Errors
/// [`GatewayError::StoreFailed`], [`GatewayError::Internal`].
pub(crate) async fn receipts_commitment(
    store: &Store,
    channel_id: ChannelId,
    statement: u64,
) -> Result<Option<ReceiptsCommitment>, GatewayError> {
    store.writer().flush().await?;
    let leaves = store.queries().receipt_leaves(channel_id, statement).await?;
    let leaves = leaves.iter().map(|(digest, amount)| Node::leaf(digest, *amount)).collect();
    let tree = Tree::new(leaves).map_err(GatewayError::internal)?;
    Ok(tree.map(|tree| tree.root().into()))
}
