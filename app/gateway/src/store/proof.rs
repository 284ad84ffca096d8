use super::{
    Generation, Store, StoreError,
    row::{self, integer},
    sql::query,
};
use motif_sdk::{
    Pubkey,
    channel::{Settlement, StatementRecord},
    mmr,
    receipt::{
        proof::ReceiptProof,
        tree::{Node, Tree},
    },
};

/// Why there is no proof of a receipt.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProofError {
    /// No receipt has this digest.
    #[error("no receipt has this digest")]
    UnknownReceipt,
    /// Its statement has not settled.
    #[error("the receipt's statement has not settled yet")]
    NotSettled,
    /// The chain has a statement that this gateway does not know.
    #[error("this gateway does not know every settled statement of the channel")]
    Unprovable,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// What proves a settled receipt against its channel's account.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn proof(&self, receipt: &[u8; 32]) -> Result<ReceiptProof, ProofError> {
        let generation = self.by_receipt(receipt).await?.ok_or(ProofError::UnknownReceipt)?;
        let number = generation.receipt.receipt.statement;
        let record = self.record(&generation).await?.ok_or(ProofError::NotSettled)?;
        if record.receipts_root.is_none() {
            return Err(ProofError::Unprovable);
        }
        let leaves = self.receipt_leaves(generation.channel_id, number).await?;
        let leaves = leaves.iter().map(|(digest, amount)| Node::leaf(digest, *amount)).collect();
        let tree = Tree::new(leaves).ok().flatten().ok_or(ProofError::Unprovable)?;
        let siblings = tree.siblings(generation.receipt.receipt.position as usize);
        let hashes = self.record_hashes(&generation).await?;
        let number = usize::try_from(number).map_err(|_| ProofError::Unprovable)?;
        Ok(ReceiptProof {
            signed: generation.receipt,
            siblings: siblings.ok_or(ProofError::Unprovable)?,
            record,
            range_siblings: mmr::siblings(&hashes, number).ok_or(ProofError::Unprovable)?,
        })
    }

    /// The record of the statement a generation is part of, once it has settled.
    async fn record(&self, generation: &Generation) -> Result<Option<StatementRecord>, StoreError> {
        let receipt = &generation.receipt.receipt;
        let row = query(
            "SELECT entries, prices, fee, cumulative, receipts_root FROM statements \
             WHERE channel_id = $1 AND number = $2 AND record_hash IS NOT NULL",
        )
        .bind(generation.channel_id.0)
        .bind(integer(receipt.statement))
        .optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let entries: Vec<u8> = row.get("entries")?;
        Ok(Some(StatementRecord {
            channel: Pubkey::new_from_array(receipt.channel.to_bytes()),
            opened_slot: receipt.opened_slot,
            settlement: Settlement {
                statement: receipt.statement,
                prices: row::unsigned(&row, "prices")?,
                fee: row::unsigned(&row, "fee")?,
                cumulative: row::unsigned(&row, "cumulative")?,
            },
            statement_digest: solana_sha256_hasher::hash(&entries).to_bytes(),
            receipts_root: row::bytes_or_null(&row, "receipts_root")?,
        }))
    }

    /// Hashes of all records of the channel, in order, without a gap.
    async fn record_hashes(&self, generation: &Generation) -> Result<Vec<[u8; 32]>, ProofError> {
        let rows = query(
            "SELECT number, record_hash FROM statements \
             WHERE channel_id = $1 AND settled_at IS NOT NULL ORDER BY number",
        );
        let rows = rows.bind(generation.channel_id.0).all(&self.readers).await;
        let mut hashes = Vec::new();
        for row in rows.map_err(StoreError::from)? {
            let in_order = row::unsigned(&row, "number")? == hashes.len() as u64;
            let hash = row::bytes_or_null(&row, "record_hash")?;
            hashes.push(hash.filter(|_| in_order).ok_or(ProofError::Unprovable)?);
        }
        Ok(hashes)
    }
}
