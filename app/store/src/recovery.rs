use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use motif_interface::{Pubkey, channel::ChannelAccount};

use crate::{
    change::Outcome,
    error::StoreError,
    generation::ChannelId,
    hold::{Hold, HoldId},
    queries::{Queries, RecordedChannel},
    rows::{STATEMENT_COLUMNS, StatementRow, read_statement},
    sql::{Row, integer, query, query_of},
    statement::{CutStatement, OpenStatement},
    tables::Tables,
};

/// Rebuilds the state of channels after a start.
#[derive(Clone, Debug)]
pub struct Recovery {
    tables: Tables,
    queries: Queries,
}

/// State of a channel when its last process stopped.
#[derive(Debug)]
pub struct RecoveredChannel {
    /// Number in the store.
    pub id: ChannelId,
    /// Address of the channel.
    pub address: Pubkey,
    /// Its account when it was last recorded.
    pub account: ChannelAccount,
    /// Statements that were cut and have not settled, oldest first.
    pub cut: VecDeque<CutStatement>,
    /// The open statement.
    pub open: OpenStatement,
    /// Idempotency keys of the open statement, with the position each one paid for.
    pub keys: HashMap<String, u32>,
    /// Maximum of prices and fees since it opened, base units; `None` for the whole deposit.
    pub budget: Option<u64>,
    /// Holds that are neither captured nor released.
    pub holds: BTreeMap<HoldId, Hold>,
    /// BLAKE3 of the account's data when it was last recorded.
    pub account_digest: [u8; 32],
    /// Number of the first unsettled statement that can never settle.
    pub stopped_at: Option<u64>,
    /// Numbers of settled statements whose record is not in the tables; empty if there are more than a
    /// thousand, as on a channel that another store has served.
    pub unrecorded: Vec<u64>,
}

impl Recovery {
    pub(crate) fn new(tables: Tables, queries: Queries) -> Self {
        Self { tables, queries }
    }

    /// Recovers a channel with everything that has not settled.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Corrupt`] if a voucher does not cover the generations of its
    /// statement.
    pub async fn channel(&self, id: ChannelId) -> Result<RecoveredChannel, StoreError> {
        let recorded = self.queries.recorded(id).await?;
        let RecordedChannel { address, account, account_digest, budget } = recorded;
        let cluster = account.channel.cluster;
        let settled = account.channel.statements.length;
        if !self.is_in_use(id, settled).await? {
            return Ok(RecoveredChannel {
                id,
                address,
                account,
                cut: VecDeque::new(),
                open: OpenStatement::new(settled),
                keys: HashMap::new(),
                budget,
                holds: BTreeMap::new(),
                account_digest,
                stopped_at: None,
                unrecorded: self.unrecorded(id, settled).await?,
            });
        }
        let rows = query_of(format!(
            "SELECT {STATEMENT_COLUMNS} FROM statements WHERE channel_id = $1 AND number >= $2 \
             ORDER BY number"
        ));
        let rows = rows.bind(id.0).bind(integer(settled));
        let rows = rows.all(self.tables.caught_up().await?).await?;
        let mut cut = VecDeque::with_capacity(rows.len());
        for row in &rows {
            let StatementRow { number, entries, prices, settled, .. } =
                self.tables.noted(read_statement(row))?;
            if settled.is_some() {
                continue;
            }
            let statement = self.cut_statement(id, cluster, number).await?;
            if (statement.statement.to_bytes(), statement.prices) != (entries, prices) {
                let text = format!("statement {number} was cut with other generations");
                return self.tables.noted(Err(StoreError::Corrupt(text)));
            }
            cut.push_back(statement);
        }
        let number = cut.back().map_or(settled, |last| last.number + 1);
        let open = self.statement(id, cluster, number).await?;
        let keys = match open.receipts {
            0 => HashMap::new(),
            _ => self.keys(id, number).await?,
        };
        let holds = self.queries.open_holds(id).await?;
        let stopped_at = self.stopped_at(id, settled).await?;
        let unrecorded = self.unrecorded(id, settled).await?;
        Ok(RecoveredChannel {
            id,
            address,
            account,
            cut,
            open,
            keys,
            budget,
            holds,
            account_digest,
            stopped_at,
            unrecorded,
        })
    }

    /// Returns a statement that takes no more generations, settled or not. `cluster` is the cluster's
    /// tag.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Corrupt`] if no voucher covers the statement's generations.
    pub async fn cut_statement(
        &self,
        id: ChannelId,
        cluster: [u8; 32],
        number: u64,
    ) -> Result<CutStatement, StoreError> {
        let OpenStatement { statement, prices, receipts, voucher, .. } =
            self.statement(id, cluster, number).await?;
        let corrupt = || StoreError::Corrupt(format!("statement {number} has no voucher"));
        let voucher = voucher.ok_or_else(corrupt)?;
        Ok(CutStatement { number, statement, prices, receipts, voucher })
    }

    /// Returns whether a channel has anything that has not settled, or a hold. Most channels of a large
    /// store have not.
    async fn is_in_use(&self, id: ChannelId, settled: u64) -> Result<bool, StoreError> {
        let row = query(
            "SELECT CAST(CASE WHEN \
             EXISTS (SELECT 1 FROM generations WHERE channel_id = $1 AND statement >= $2) \
             OR EXISTS (SELECT 1 FROM statements WHERE channel_id = $1 AND number >= $2) \
             OR EXISTS (SELECT 1 FROM transactions WHERE channel_id = $1 AND statement >= $2) \
             OR EXISTS (SELECT 1 FROM holds WHERE channel_id = $1 AND outcome IS NULL) \
             THEN 1 ELSE 0 END AS BIGINT) AS in_use",
        );
        let row = row.bind(id.0).bind(integer(settled));
        let row = row.one(self.tables.caught_up().await?).await?;
        Ok(row.integer::<u8>("in_use")? == 1)
    }

    /// Returns the first `settled` statements whose record is not in the tables.
    async fn unrecorded(&self, id: ChannelId, settled: u64) -> Result<Vec<u64>, StoreError> {
        const MAX: u64 = 1_000;
        if settled == 0 {
            return Ok(Vec::new());
        }
        let count = query(
            "SELECT COUNT(*) AS recorded FROM statements \
             WHERE channel_id = $1 AND number < $2 AND record_hash IS NOT NULL",
        );
        let count = count.bind(id.0).bind(integer(settled)).one(self.tables.current()).await?;
        let missing = settled.saturating_sub(count.integer("recorded")?);
        if missing == 0 || missing > MAX {
            return Ok(Vec::new());
        }
        let rows = query(
            "SELECT number FROM statements \
             WHERE channel_id = $1 AND number < $2 AND record_hash IS NOT NULL",
        );
        let rows = rows.bind(id.0).bind(integer(settled)).all(self.tables.current()).await?;
        let recorded: Result<BTreeSet<u64>, _> =
            rows.iter().map(|row| row.integer("number")).collect();
        let recorded = recorded?;
        Ok((0..settled).filter(|number| !recorded.contains(number)).collect())
    }

    /// Returns the first statement from `settled` on that has a finally refused transaction.
    async fn stopped_at(&self, id: ChannelId, settled: u64) -> Result<Option<u64>, StoreError> {
        let row = query(
            "SELECT statement FROM transactions WHERE channel_id = $1 AND statement >= $2 \
             AND outcome = $3 ORDER BY statement LIMIT 1",
        );
        let row = row.bind(id.0).bind(integer(settled)).bind(Outcome::Final.as_str());
        let row = row.optional(self.tables.caught_up().await?).await?;
        row.map(|row| row.integer("statement")).transpose()
    }

    /// Adds up a statement's generations and reads its newest voucher.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Corrupt`] if the voucher does not cover the generations.
    pub async fn statement(
        &self,
        id: ChannelId,
        cluster: [u8; 32],
        number: u64,
    ) -> Result<OpenStatement, StoreError> {
        let mut open = OpenStatement::new(number);
        let sums = self.sums(id, number).await?;
        if sums.is_empty() {
            return Ok(open);
        }
        for (license, (units, prices)) in &sums {
            let added = open.statement.add(*license, *units);
            added.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            open.add_prices(*license, *prices);
        }
        open.receipts = self.queries.count(id, number).await?;
        let Some(last) = open.receipts.checked_sub(1) else { return Ok(open) };
        let first = self.queries.generations(id, number, 1, 0).await?;
        open.begun_at = first.first().map(|generation| generation.receipt.receipt.issued_at);
        let newest = self.queries.generations(id, number, 1, last).await?;
        let gap = || StoreError::Corrupt(format!("statement {number} has a gap"));
        let voucher = newest.first().ok_or_else(gap)?.voucher(cluster, open.statement.digest());
        if !voucher.verifies() {
            let text = format!("the voucher of statement {number} does not cover its generations");
            return Err(StoreError::Corrupt(text));
        }
        open.voucher = Some(voucher);
        Ok(open)
    }

    /// Returns units and prices of a statement by license.
    async fn sums(
        &self,
        id: ChannelId,
        number: u64,
    ) -> Result<BTreeMap<u16, (u32, u64)>, StoreError> {
        let rows = query(
            "SELECT license, CAST(SUM(units) AS BIGINT) AS units, \
             CAST(SUM(amount) AS BIGINT) AS prices FROM generations \
             WHERE channel_id = $1 AND statement = $2 GROUP BY license",
        );
        let rows = rows.bind(id.0).bind(integer(number));
        let rows = rows.all(self.tables.caught_up().await?).await?;
        let read = |row: &Row| {
            Ok((row.integer("license")?, (row.integer("units")?, row.integer("prices")?)))
        };
        rows.iter().map(read).collect()
    }

    async fn keys(&self, id: ChannelId, number: u64) -> Result<HashMap<String, u32>, StoreError> {
        let rows = query(
            "SELECT idempotency_key, position FROM generations \
             WHERE channel_id = $1 AND statement = $2",
        );
        let rows = rows.bind(id.0).bind(integer(number));
        let rows = rows.all(self.tables.caught_up().await?).await?;
        let read = |row: &Row| Ok((row.get("idempotency_key")?, row.integer("position")?));
        rows.iter().map(read).collect()
    }
}
