use motif_interface::receipt::proof::ReceiptProof;

use crate::{
    error::StoreError,
    generation::{ChannelId, Generation},
    lookup_key::LookupKey,
    proof::{self, ProofError},
    receipt_trees::ReceiptTrees,
    rows::{COLUMNS, read_generation},
    runs,
    sql::{Pool, Row, integer, query, query_of},
    tables::Tables,
};

/// Finds generations by receipt, output or idempotency key, and proves receipts.
#[derive(Clone, Debug)]
pub struct Lookup {
    tables: Tables,
    trees: ReceiptTrees,
}

/// Maximum number of rows read by one query.
const ROWS_PER_QUERY: usize = 256;

/// Order of the results: by time.
const ORDER: &str = "ORDER BY issued_at, channel_id, statement, position";

impl Lookup {
    pub(crate) fn new(tables: Tables) -> Self {
        Self { tables, trees: ReceiptTrees::default() }
    }

    /// Returns the generations with an idempotency key in a statement, in order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn by_key(
        &self,
        channel_id: ChannelId,
        statement: u64,
        key: &str,
    ) -> Result<Vec<Generation>, StoreError> {
        self.find(&LookupKey::Idempotency { channel_id, statement, key }, u32::MAX).await
    }

    /// Returns the generation whose receipt has this digest.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn by_receipt(&self, digest: &[u8; 32]) -> Result<Option<Generation>, StoreError> {
        Ok(self.find(&LookupKey::Receipt(digest), 1).await?.pop())
    }

    /// Returns at most `limit` generations whose output has this digest, earliest first, and whether
    /// each has settled.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn by_output(
        &self,
        output_digest: &[u8; 32],
        limit: u32,
    ) -> Result<Vec<(Generation, bool)>, StoreError> {
        let found = self.find(&LookupKey::Output(output_digest), limit).await?;
        let mut generations = Vec::with_capacity(found.len());
        for generation in found {
            let has_settled = self.has_settled(&generation).await?;
            generations.push((generation, has_settled));
        }
        Ok(generations)
    }

    /// Returns the proof of a settled receipt against its channel's account.
    ///
    /// # Errors
    /// [`ProofError`]
    pub async fn proof(&self, receipt: &[u8; 32]) -> Result<ReceiptProof, ProofError> {
        let generation = self.by_receipt(receipt).await?.ok_or(ProofError::ReceiptNotFound)?;
        proof::prove(generation, &self.tables, &self.trees).await
    }

    async fn has_settled(&self, generation: &Generation) -> Result<bool, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS settled FROM statements \
             WHERE channel_id = $1 AND number = $2 AND record_hash IS NOT NULL",
        )
        .bind(generation.channel_id.0)
        .bind(integer(generation.receipt.receipt.statement))
        .one(self.tables.current())
        .await?;
        Ok(row.integer::<u64>("settled")? > 0)
    }

    /// Reads a row. One that is damaged is left out of the generations of an output, which may be those of
    /// several channels.
    fn read(&self, key: &LookupKey<'_>, row: &Row) -> Result<Option<Generation>, StoreError> {
        match (self.tables.noted(read_generation(row)), key) {
            (Err(StoreError::Corrupt(_)), LookupKey::Output(_)) => Ok(None),
            (read, _) => read.map(Some),
        }
    }

    /// Returns at most `limit` generations with this key, ordered by time. Generations that were
    /// stored later are left out first.
    async fn find(&self, key: &LookupKey<'_>, limit: u32) -> Result<Vec<Generation>, StoreError> {
        let pool = self.tables.caught_up().await?;
        let select =
            format!("SELECT {COLUMNS} FROM generations JOIN channels ON channels.id = channel_id");
        if let Pool::Postgres(_) = pool {
            let sql = format!("{select} WHERE {} {ORDER} LIMIT $1", key.condition());
            let rows = key.bind(query_of(sql).bind(i64::from(limit))).all(pool).await?;
            let read = rows.iter().map(|row| self.read(key, row)).filter_map(Result::transpose);
            return read.collect();
        }
        let (mut found, mut next) = (Vec::new(), Some(0));
        while let Some(from) = next.filter(|_| found.len() < limit as usize) {
            let (ids, following) = runs::find(key.tag(), from, pool).await?;
            next = following;
            for ids in ids.chunks(ROWS_PER_QUERY) {
                let numbers: Vec<_> = (1..=ids.len()).map(|number| format!("${number}")).collect();
                let sql = format!("{select} WHERE generations.id IN ({})", numbers.join(", "));
                let rows = ids.iter().fold(query_of(sql), |query, id| query.bind(*id));
                for row in rows.all(pool).await? {
                    found.extend(self.read(key, &row)?);
                }
                found.retain(|generation| key.matches(generation));
                // Many generations may have one output.
                if found.len() >= limit as usize {
                    break;
                }
            }
        }
        found.sort_unstable_by_key(|one| (one.receipt.receipt.issued_at, one.place()));
        found.truncate(limit as usize);
        Ok(found)
    }
}
