use std::collections::BTreeMap;

use motif_interface::Pubkey;
use motif_wire::{Address, Amount, UsageBy, UsageRow};

use crate::{
    api_key::KeyId,
    error::StoreError,
    expense::ExpenseSum,
    generation::ChannelId,
    queries::read_account,
    rows::{STATEMENT_COLUMNS, StatementRow, expense_sums, read_statement},
    sql::{Pool, Row, integer, query, query_of},
    tables::Tables,
};

/// Sums over generations, for usage reports and reconciliation.
#[derive(Clone, Debug)]
pub struct Reports {
    tables: Tables,
}

/// Selection and grouping of a usage report.
#[derive(Clone, Copy, Debug)]
pub struct UsageQuery {
    /// Property by which usage is grouped.
    pub by: UsageBy,
    /// Channel to report; `None` for all channels.
    pub channel_id: Option<ChannelId>,
    /// First unix second of the report.
    pub from: Option<i64>,
    /// Unix second after the last one of the report.
    pub until: Option<i64>,
}

/// Sums of a channel's receipts and statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Sums of receipts by statement.
    pub receipts: BTreeMap<u64, ReceiptSums>,
    /// Statements that were cut, by number.
    pub statements: BTreeMap<u64, StatementBook>,
}

/// Sums of a statement's receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptSums {
    /// Number of receipts.
    pub count: u64,
    /// Last position plus 1.
    pub positions: u64,
    /// Prices, base units.
    pub prices: u64,
    /// Prices and fees, base units.
    pub charged: u64,
    /// Total of the newest voucher, base units.
    pub cumulative: u64,
}

/// Statement that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementBook {
    /// Prices of its generations, base units.
    pub prices: u64,
    /// The channel's total after settlement, base units; `None` until it has settled.
    pub cumulative: Option<u64>,
    /// The statement's leaf in the channel's Merkle mountain range.
    pub record_hash: Option<[u8; 32]>,
    /// Root of the receipts that it settled with.
    pub receipts_root: Option<[u8; 32]>,
    /// Whether it has settled.
    pub is_settled: bool,
    /// Whether its row was changed since it was written.
    pub is_damaged: bool,
}

#[derive(Default)]
struct UsageSums {
    generations: u64,
    units: u64,
    prices: u64,
    charged: u64,
}

impl StatementBook {
    /// Returns what can be read of a damaged row.
    fn damaged(row: &Row) -> Self {
        Self {
            prices: row.integer("prices").unwrap_or_default(),
            cumulative: row.integer_or_null("cumulative").unwrap_or_default(),
            record_hash: row.bytes_or_null("record_hash").unwrap_or_default(),
            receipts_root: row.bytes_or_null("receipts_root").unwrap_or_default(),
            is_settled: row.get::<Option<i64>>("settled_at").is_ok_and(|at| at.is_some()),
            is_damaged: true,
        }
    }
}

impl From<StatementRow> for StatementBook {
    fn from(row: StatementRow) -> Self {
        Self {
            prices: row.prices,
            cumulative: row.settled.map(|settled| settled.cumulative),
            record_hash: row.settled.and_then(|settled| settled.record_hash),
            receipts_root: row.settled.and_then(|settled| settled.receipts_root),
            is_settled: row.settled.is_some(),
            is_damaged: false,
        }
    }
}

impl Reports {
    pub(crate) fn new(tables: Tables) -> Self {
        Self { tables }
    }

    /// Returns usage and spending, grouped by name and currency.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn usage(&self, report: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        let pool = self.tables.caught_up().await?;
        let name = match report.by {
            UsageBy::Work => "work",
            UsageBy::Day => match pool {
                Pool::Sqlite(_) => "date(issued_at, 'unixepoch')",
                Pool::Postgres(_) => {
                    "to_char(to_timestamp(issued_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
                }
            },
            UsageBy::Platform | UsageBy::Channel => "''",
            UsageBy::ApiKey => "api_key",
        };
        // A channel's generations are found by their position. All generations of a period are
        // found by an index on a server, and in a file by the runs that overlap the period.
        let source = match (pool, report.channel_id) {
            (_, Some(_)) => {
                "generations JOIN channels ON channels.id = channel_id AND channel_id = $3"
            }
            (Pool::Postgres(_), None) => "generations JOIN channels ON channels.id = channel_id",
            (Pool::Sqlite(_), None) => {
                "runs CROSS JOIN generations ON generations.id >= runs.first \
                 AND generations.id < runs.first + runs.count \
                 AND runs.latest >= $1 AND runs.earliest < $2 \
                 CROSS JOIN channels ON channels.id = channel_id"
            }
        };
        // Grouped by channel, which has one currency, so that currencies are never added up.
        let sql = format!(
            "SELECT channels.address AS address, channels.account AS account, {name} AS name, \
             COUNT(*) AS generations, CAST(SUM(units) AS BIGINT) AS units, \
             CAST(SUM(amount) AS BIGINT) AS prices, CAST(SUM(charged) AS BIGINT) AS charged \
             FROM {source} WHERE issued_at >= $1 AND issued_at < $2 \
             GROUP BY channels.id, 3"
        );
        let mut query = query_of(sql)
            .bind(report.from.unwrap_or(i64::MIN))
            .bind(report.until.unwrap_or(i64::MAX));
        if let Some(id) = report.channel_id {
            query = query.bind(id.0);
        }
        let mut sums: BTreeMap<(String, Address), UsageSums> = BTreeMap::new();
        for row in &query.all(pool).await? {
            let channel = read_account(row)?.channel;
            let name = match report.by {
                UsageBy::Work => Pubkey::new_from_array(row.bytes("name")?).to_string(),
                UsageBy::Day => row.get("name")?,
                UsageBy::Platform => channel.payer.to_string(),
                UsageBy::Channel => Pubkey::new_from_array(row.bytes("address")?).to_string(),
                UsageBy::ApiKey => {
                    let key = row.bytes_or_null("name")?.map(KeyId);
                    key.map(|key| key.to_string()).unwrap_or_default()
                }
            };
            let sum = sums.entry((name, Address(channel.mint))).or_default();
            // Several channels of one mint may exceed 64 bits.
            for (sum, column) in [
                (&mut sum.generations, "generations"),
                (&mut sum.units, "units"),
                (&mut sum.prices, "prices"),
                (&mut sum.charged, "charged"),
            ] {
                *sum = sum.saturating_add(row.integer::<u64>(column)?);
            }
        }
        let row = |((name, mint), sums): ((String, Address), UsageSums)| UsageRow {
            name,
            mint,
            generations: sums.generations,
            units: sums.units,
            prices: Amount(sums.prices),
            charged: Amount(sums.charged),
        };
        Ok(sums.into_iter().map(row).collect())
    }

    /// Returns what the operator paid for transactions since a unix second, by kind.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn expenses(&self, since: i64) -> Result<Vec<ExpenseSum>, StoreError> {
        expense_sums(self.tables.current(), since).await
    }

    /// Returns a channel's books, with the first `open_receipts` receipts of its open statement.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn books(
        &self,
        channel_id: ChannelId,
        open: u64,
        open_receipts: u32,
    ) -> Result<Books, StoreError> {
        let pool = self.tables.caught_up().await?;
        let rows = query(
            "SELECT statement, COUNT(*) AS receipts, MAX(position) + 1 AS positions, \
             CAST(SUM(amount) AS BIGINT) AS prices, \
             CAST(SUM(charged) AS BIGINT) AS charged, MAX(cumulative) AS cumulative \
             FROM generations WHERE channel_id = $1 \
             AND (statement < $2 OR (statement = $2 AND position < $3)) GROUP BY statement",
        )
        .bind(channel_id.0)
        .bind(integer(open))
        .bind(i64::from(open_receipts))
        .all(pool)
        .await?;
        let mut books = Books::default();
        for row in &rows {
            let sums = ReceiptSums {
                count: row.integer("receipts")?,
                positions: row.integer("positions")?,
                prices: row.integer("prices")?,
                charged: row.integer("charged")?,
                cumulative: row.integer("cumulative")?,
            };
            books.receipts.insert(row.integer("statement")?, sums);
        }
        let rows =
            query_of(format!("SELECT {STATEMENT_COLUMNS} FROM statements WHERE channel_id = $1"));
        // Statements that were cut while the receipts were added up are in the tables, too.
        let pool = self.tables.caught_up().await?;
        for row in &rows.bind(channel_id.0).all(pool).await? {
            let read = self.tables.noted(read_statement(row));
            let statement = read.map_or_else(|_| StatementBook::damaged(row), StatementBook::from);
            books.statements.insert(row.integer("number")?, statement);
        }
        Ok(books)
    }

    /// Returns the units of all generations before a statement, by license.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn units_before(
        &self,
        channel_id: ChannelId,
        statement: u64,
    ) -> Result<BTreeMap<u16, u64>, StoreError> {
        let rows = query(
            "SELECT license, CAST(SUM(units) AS BIGINT) AS units FROM generations \
             WHERE channel_id = $1 AND statement < $2 GROUP BY license",
        );
        let rows = rows.bind(channel_id.0).bind(integer(statement));
        let rows = rows.all(self.tables.caught_up().await?).await?;
        let read = |row: &Row| Ok((row.integer("license")?, row.integer("units")?));
        rows.iter().map(read).collect()
    }
}
