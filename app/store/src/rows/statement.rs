use blake3::Hasher;
use motif_interface::channel::{Settlement, StatementRecord};

use crate::{
    change::SettledStatement,
    error::StoreError,
    generation::ChannelId,
    sql::{Connection, Row, integer, query},
};

/// Columns that [`read_statement`] reads.
pub const STATEMENT_COLUMNS: &str = "channel_id, number, entries, prices, cut_at, cut_checksum, \
     fee, cumulative, receipts_root, record_hash, settled_at, settled_checksum";

/// Row of a statement, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRow {
    /// Number of the statement.
    pub number: u64,
    /// Its entries, as they settle.
    pub entries: Vec<u8>,
    /// Prices of its generations, base units.
    pub prices: u64,
    /// `None` until it has settled.
    pub settled: Option<SettledColumns>,
    cut_at: i64,
}

/// Columns that a settlement writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledColumns {
    /// Operator's fee, base units.
    pub fee: u64,
    /// The channel's total, base units.
    pub cumulative: u64,
    /// Root of the receipts; `None` if another party settled.
    pub receipts_root: Option<[u8; 32]>,
    /// Leaf in the channel's Merkle mountain range.
    pub record_hash: Option<[u8; 32]>,
    /// Unix seconds.
    pub settled_at: i64,
}

impl StatementRow {
    fn checksum(&self, channel_id: ChannelId) -> [u8; 32] {
        let mut hasher = Hasher::new_derive_key("motif store 2026-11 cut statement");
        hasher.update(&channel_id.0.to_le_bytes()).update(&self.number.to_le_bytes());
        hasher.update(&self.prices.to_le_bytes()).update(&self.cut_at.to_le_bytes());
        *hasher.update(&self.entries).finalize().as_bytes()
    }
}

impl SettledColumns {
    fn checksum(&self, channel_id: ChannelId, number: u64) -> [u8; 32] {
        let mut hasher = Hasher::new_derive_key("motif store 2026-11 settled statement");
        hasher.update(&channel_id.0.to_le_bytes()).update(&number.to_le_bytes());
        hasher.update(&self.fee.to_le_bytes()).update(&self.cumulative.to_le_bytes());
        hasher.update(&self.settled_at.to_le_bytes());
        for digest in [self.receipts_root, self.record_hash] {
            hasher.update(&[u8::from(digest.is_some())]);
            hasher.update(digest.as_ref().map_or(&[][..], |digest| &digest[..]));
        }
        *hasher.finalize().as_bytes()
    }
}

/// Reads a row of `statements` and verifies its checksums.
///
/// # Errors
/// [`StoreError::Corrupt`], which names the statement, if the row was changed since it was written.
pub fn read_statement(row: &Row) -> Result<StatementRow, StoreError> {
    let channel_id = ChannelId(row.get("channel_id")?);
    let number: i64 = row.get("number")?;
    let damaged = || {
        let name = format!("row of statement {number} of channel {}", channel_id.0);
        StoreError::Corrupt(format!("the {name} was changed since it was written"))
    };
    verified(row, channel_id).map_err(|_| damaged())?.ok_or_else(damaged)
}

/// Returns a row, or `None` if it does not match its checksums.
fn verified(row: &Row, channel_id: ChannelId) -> Result<Option<StatementRow>, StoreError> {
    let number = row.integer("number")?;
    let settled_at: Option<i64> = row.get("settled_at")?;
    let settled = match settled_at {
        Some(settled_at) => Some(SettledColumns {
            fee: row.integer("fee")?,
            cumulative: row.integer("cumulative")?,
            receipts_root: row.bytes_or_null("receipts_root")?,
            record_hash: row.bytes_or_null("record_hash")?,
            settled_at,
        }),
        None => None,
    };
    let settled_checksum = settled.map(|settled| settled.checksum(channel_id, number));
    let statement = StatementRow {
        number,
        entries: row.get("entries")?,
        prices: row.integer("prices")?,
        settled,
        cut_at: row.get("cut_at")?,
    };
    let is_intact = row.bytes::<32>("cut_checksum")? == statement.checksum(channel_id)
        && row.bytes_or_null::<32>("settled_checksum")? == settled_checksum;
    Ok(is_intact.then_some(statement))
}

/// Inserts a statement that is cut. An existing one is left as it is.
pub async fn insert_cut(
    channel_id: ChannelId,
    number: u64,
    (entries, prices): (&[u8], u64),
    cut_at: i64,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let row = StatementRow { number, entries: entries.to_vec(), prices, settled: None, cut_at };
    query(
        "INSERT INTO statements (channel_id, number, entries, prices, cut_at, cut_checksum) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (channel_id, number) DO NOTHING",
    )
    .bind(channel_id.0)
    .bind(integer(number))
    .bind(entries)
    .bind(integer(prices))
    .bind(cut_at)
    .bind(&row.checksum(channel_id)[..])
    .execute(to)
    .await
    .map(drop)
}

/// Records the settlement of a statement, which is inserted if it was not cut here.
pub async fn settle_statement(
    channel_id: ChannelId,
    settled: &SettledStatement,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let StatementRecord { settlement, receipts_root, .. } = &settled.record;
    let Settlement { statement: number, prices, fee, cumulative } = *settlement;
    let columns = SettledColumns {
        fee,
        cumulative,
        receipts_root: *receipts_root,
        record_hash: settled.is_proven.then(|| settled.record.hash()),
        settled_at: settled.settled_at,
    };
    let row = StatementRow {
        number,
        entries: settled.entries.clone(),
        prices,
        settled: Some(columns),
        cut_at: settled.settled_at,
    };
    query(
        "INSERT INTO statements (channel_id, number, entries, prices, cut_at, cut_checksum, fee, \
         cumulative, receipts_root, record_hash, settled_at, settled_checksum) \
         VALUES ($1, $2, $3, $4, $9, $10, $5, $6, $7, $8, $9, $11) \
         ON CONFLICT (channel_id, number) DO UPDATE SET fee = $5, cumulative = $6, \
         receipts_root = $7, record_hash = $8, settled_at = $9, settled_checksum = $11",
    )
    .bind(channel_id.0)
    .bind(integer(number))
    .bind(&settled.entries[..])
    .bind(integer(prices))
    .bind(integer(fee))
    .bind(integer(cumulative))
    .bind(columns.receipts_root.as_ref().map(|root| &root[..]))
    .bind(columns.record_hash.as_ref().map(|hash| &hash[..]))
    .bind(columns.settled_at)
    .bind(&row.checksum(channel_id)[..])
    .bind(&columns.checksum(channel_id, number)[..])
    .execute(to)
    .await
    .map(drop)
}
