use motif_interface::{
    channel::{Settlement, StatementRecord},
    mmr,
    receipt::proof::ReceiptProof,
};

use crate::{
    error::StoreError,
    generation::{ChannelId, Generation},
    queries::read_account,
    receipt_trees::ReceiptTrees,
    rows::{STATEMENT_COLUMNS, read_statement},
    sql::{Pool, query, query_of},
    tables::Tables,
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
    /// The row of the receipt's statement was changed since it was written.
    #[error("the row of statement {0} is damaged")]
    StatementDamaged(u64),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the proof of a generation's receipt.
pub async fn prove(
    generation: Generation,
    tables: &Tables,
    trees: &ReceiptTrees,
) -> Result<ReceiptProof, ProofError> {
    let receipt = &generation.receipt.receipt;
    let pool = tables.caught_up().await?;
    let rows = query_of(format!(
        "SELECT {STATEMENT_COLUMNS} FROM statements \
         WHERE channel_id = $1 AND settled_at IS NOT NULL ORDER BY number"
    ));
    let rows = rows.bind(generation.channel_id.0).all(pool).await.map_err(StoreError::from)?;
    let (mut own, mut hashes, mut is_damaged) = (None, Vec::with_capacity(rows.len()), false);
    for row in &rows {
        let statement = tables.noted(read_statement(row));
        is_damaged |= statement.is_err();
        let number = row.integer::<u64>("number")?;
        if number == receipt.statement {
            own = Some(statement.map_err(|_| ProofError::StatementDamaged(number))?);
        }
        // Without a gap.
        let hash = row.bytes_or_null::<32>("record_hash").unwrap_or_default();
        hashes.push(hash.filter(|_| number == hashes.len() as u64));
    }
    let settled = own.and_then(|own| Some((own.settled?, own)));
    let Some((settled, statement)) = settled.filter(|(own, _)| own.record_hash.is_some()) else {
        return Err(ProofError::NotSettled);
    };
    if settled.receipts_root.is_none() {
        return Err(ProofError::StatementNotFound);
    }
    let hashes: Option<Vec<_>> = hashes.into_iter().collect();
    let hashes = hashes.ok_or(ProofError::StatementNotFound)?;
    if is_damaged && !are_on_chain(&hashes, generation.channel_id, pool).await? {
        return Err(ProofError::StatementNotFound);
    }
    let tree = trees.of(generation.channel_id, receipt.statement, pool).await?;
    let tree = tree.ok_or(ProofError::StatementNotFound)?;
    let siblings = tree.siblings(receipt.position as usize);
    let record = StatementRecord {
        channel: receipt.channel,
        opened_slot: receipt.opened_slot,
        settlement: Settlement {
            statement: receipt.statement,
            prices: statement.prices,
            fee: settled.fee,
            cumulative: settled.cumulative,
        },
        statement_digest: solana_sha256_hasher::hash(&statement.entries).to_bytes(),
        receipts_root: settled.receipts_root,
    };
    let number = usize::try_from(receipt.statement).map_err(|_| ProofError::StatementNotFound)?;
    Ok(ReceiptProof {
        signed: generation.receipt,
        siblings: siblings.ok_or(ProofError::StatementNotFound)?,
        record,
        range_siblings: mmr::siblings(&hashes, number).ok_or(ProofError::StatementNotFound)?,
    })
}

/// Returns whether the hashes of records result in the range of the channel's account.
async fn are_on_chain(
    hashes: &[[u8; 32]],
    channel_id: ChannelId,
    pool: &Pool,
) -> Result<bool, StoreError> {
    let row = query("SELECT account FROM channels WHERE id = $1").bind(channel_id.0).one(pool);
    let expected = read_account(&row.await?)?.channel.statements;
    let mut range = expected;
    (range.length, range.peaks) = (0, [[0; 32]; _]);
    let is_full = hashes.iter().any(|hash| range.append(*hash).is_err());
    Ok(!is_full && range == expected)
}
