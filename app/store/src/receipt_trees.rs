use std::{fmt, sync::Arc, time::Duration};

use motif_interface::receipt::tree::{Node, Tree};
use tokio::{sync::Mutex, task::spawn_blocking, time::timeout};

use crate::{error::StoreError, generation::ChannelId, queries::receipt_leaves, sql::Pool};

/// Maximum wait for another statement's tree.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Merkle trees over the receipts of settled statements, which proofs need.
///
/// Builds one tree at a time and keeps the newest, so that memory is bounded by two trees however
/// many proofs are requested at once. Clones share the tree.
#[derive(Clone, Default)]
pub struct ReceiptTrees(Arc<Mutex<Option<StatementTree>>>);

struct StatementTree {
    channel_id: ChannelId,
    statement: u64,
    tree: Arc<Tree>,
}

impl ReceiptTrees {
    /// Returns the tree of a settled statement, or `None` if it has no receipts.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if other trees are built for too long.
    pub async fn of(
        &self,
        channel_id: ChannelId,
        statement: u64,
        pool: &Pool,
    ) -> Result<Option<Arc<Tree>>, StoreError> {
        let mut newest = timeout(MAX_WAIT, self.0.lock()).await.map_err(|_| StoreError::Busy)?;
        let known = newest
            .take_if(|newest| (newest.channel_id, newest.statement) != (channel_id, statement));
        drop(known); // before another tree takes memory
        if let Some(newest) = &*newest {
            return Ok(Some(newest.tree.clone()));
        }
        let leaves = receipt_leaves(channel_id, statement, pool).await?;
        let building = spawn_blocking(move || {
            let leaves = leaves.iter().map(|(digest, amount)| Node::leaf(digest, *amount));
            Tree::new(leaves.collect())
        });
        let built = building.await.map_err(|error| StoreError::Read(error.to_string()))?;
        let Some(tree) = built.ok().flatten().map(Arc::new) else { return Ok(None) };
        *newest = Some(StatementTree { channel_id, statement, tree: tree.clone() });
        Ok(Some(tree))
    }
}

impl fmt::Debug for ReceiptTrees {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReceiptTrees").finish_non_exhaustive()
    }
}
