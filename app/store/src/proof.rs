use motif_interface::{
    channel::{Settlement, StatementRecord},
    mmr,
    receipt::proof::ReceiptProof,
};

use crate::{
    error::StoreError,
    generation::Generation,
    receipt_trees::ReceiptTrees,
    sql::{Pool, integer, query},
};

/// Error returned when a receipt cannot be proven.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProofError {
    /// No receipt has this digest.
    #[error("receipt not found")]
    ReceiptNotFound,
    /// The receipt's statement has not settled.
    #[error("the receipt's statement has not settled")]
    NotSettled,
    /// A settled statement of the channel is not in this store, or was settled by another party.
    #[error("the store lacks a settled statement of the channel")]
    StatementNotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the proof of a generation's receipt.
pub async fn prove(
    generation: Generation,
    pool: &Pool,
    trees: &ReceiptTrees,
) -> Result<ReceiptProof, ProofError> {
    let number = generation.receipt.receipt.statement;
    let record = settled_record(&generation, pool).await?.ok_or(ProofError::NotSettled)?;
    if record.receipts_root.is_none() {
        return Err(ProofError::StatementNotFound);
    }
    let tree = trees.of(generation.channel_id, number, pool).await?;
    let tree = tree.ok_or(ProofError::StatementNotFound)?;
    let siblings = tree.siblings(generation.receipt.receipt.position as usize);
    let hashes = record_hashes(&generation, pool).await?;
    let number = usize::try_from(number).map_err(|_| ProofError::StatementNotFound)?;
    Ok(ReceiptProof {
        signed: generation.receipt,
        siblings: siblings.ok_or(ProofError::StatementNotFound)?,
        record,
        range_siblings: mmr::siblings(&hashes, number).ok_or(ProofError::StatementNotFound)?,
    })
}

/// Returns the record of the generation's statement, or `None` if it has not settled.
async fn settled_record(
    generation: &Generation,
    pool: &Pool,
) -> Result<Option<StatementRecord>, StoreError> {
    let receipt = &generation.receipt.receipt;
    let row = query(
        "SELECT entries, prices, fee, cumulative, receipts_root FROM statements \
         WHERE channel_id = $1 AND number = $2 AND record_hash IS NOT NULL",
    )
    .bind(generation.channel_id.0)
    .bind(integer(receipt.statement))
    .optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let entries: Vec<u8> = row.get("entries")?;
    Ok(Some(StatementRecord {
        channel: receipt.channel,
        opened_slot: receipt.opened_slot,
        settlement: Settlement {
            statement: receipt.statement,
            prices: row.integer("prices")?,
            fee: row.integer("fee")?,
            cumulative: row.integer("cumulative")?,
        },
        statement_digest: solana_sha256_hasher::hash(&entries).to_bytes(),
        receipts_root: row.bytes_or_null("receipts_root")?,
    }))
}

/// Returns the hashes of all records of the channel, in order and without a gap.
async fn record_hashes(generation: &Generation, pool: &Pool) -> Result<Vec<[u8; 32]>, ProofError> {
    let rows = query(
        "SELECT number, record_hash FROM statements \
         WHERE channel_id = $1 AND settled_at IS NOT NULL ORDER BY number",
    );
    let rows = rows.bind(generation.channel_id.0).all(pool).await;
    let mut hashes = Vec::new();
    for row in rows.map_err(StoreError::from)? {
        let is_next = row.integer::<u64>("number")? == hashes.len() as u64;
        let hash = row.bytes_or_null("record_hash")?;
        hashes.push(hash.filter(|_| is_next).ok_or(ProofError::StatementNotFound)?);
    }
    Ok(hashes)
}
