use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use motif_interface::{Pubkey, channel::ChannelAccount, licensing::Use};
use motif_wire::{Address, Amount, WorkUsageBy, WorkUsageRow, mpp};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    error::StoreError,
    queries::read_account,
    sql::{Pool, Row, query, query_of},
    tables::Tables,
};

/// Number of generations that are added up at once: a query is limited in time.
const STEP: i64 = 50_000;
/// Number of generations that [`WorkUsage::add_some`] adds up: a report waits for them.
const SMALL_STEP: i64 = 5_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Below every statement's number.
const NONE_SETTLED: i64 = -1;
const SUMS: &str = "channel_id, statement, license, issued_at / 86400 AS day, \
    COUNT(*) AS generations, CAST(SUM(units) AS BIGINT) AS units, \
    CAST(SUM(amount) AS BIGINT) AS prices, CAST(SUM(charged) AS BIGINT) AS charged";

/// Usage of works by their generations.
///
/// A file's generations are numbered without gaps: their sums are kept in memory, and a report adds only
/// the newer ones, however large the table is. A server adds up the work's generations for each report.
#[derive(Clone, Debug)]
pub struct WorkUsage {
    tables: Tables,
    kept: Arc<Mutex<Kept>>,
}

/// Selection and grouping of a report.
#[derive(Clone, Copy, Debug)]
pub struct WorkUsageQuery {
    /// The work.
    pub work: Pubkey,
    /// Property by which usage is grouped.
    pub by: WorkUsageBy,
    /// First unix second, rounded down to its day.
    pub from: Option<i64>,
    /// Unix second after the last one, rounded up to the end of its day.
    pub until: Option<i64>,
}

#[derive(Debug, Default)]
struct Kept {
    /// `generations.id` of the last one that was added up.
    last: i64,
    works: HashMap<[u8; 32], Cells>,
    channels: HashMap<i64, ChannelAccount>,
}

/// Sums of a work's generations.
type Cells = BTreeMap<Cell, Sums>;

/// Generations that are added up together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    channel_id: i64,
    license: u16,
    /// Unix seconds / 86,400.
    day: i64,
    /// Statement that has not settled; `None` for all settled ones.
    open: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    generations: u64,
    units: u64,
    prices: u64,
    charged: u64,
}

impl Sums {
    /// Adds other sums. Those of one channel fit 63 bits; several may exceed them.
    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.generations, other.generations),
            (&mut self.units, other.units),
            (&mut self.prices, other.prices),
            (&mut self.charged, other.charged),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

impl WorkUsage {
    pub(crate) fn new(tables: Tables) -> Self {
        Self { tables, kept: Arc::default() }
    }

    /// Returns a work's usage, grouped by name and currency.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn report(&self, report: &WorkUsageQuery) -> Result<Vec<WorkUsageRow>, StoreError> {
        let first = report.from.map_or(i64::MIN, |from| from.div_euclid(SECONDS_PER_DAY));
        let last = report
            .until
            .map_or(i64::MAX, |until| until.saturating_sub(1).div_euclid(SECONDS_PER_DAY));
        let (mut kept, cells) = self.cells(std::slice::from_ref(&report.work)).await?;
        let cells = cells.first().map(|(_, cells)| cells);
        let mut rows: BTreeMap<(String, Address), (Sums, u64)> = BTreeMap::new();
        for (cell, sums) in
            cells.into_iter().flatten().filter(|(cell, _)| (first..=last).contains(&cell.day))
        {
            let account = self.channel(&mut kept, cell.channel_id, cell.license).await?;
            let name = match report.by {
                WorkUsageBy::Day => date(cell.day),
                WorkUsageBy::Platform => account.channel.payer.to_string(),
                WorkUsageBy::Use => {
                    let license = account.licenses.get(usize::from(cell.license));
                    let licensed = license.and_then(|license| Use::from_byte(license.licensed_use));
                    licensed.map(|licensed| licensed.to_string()).unwrap_or_default()
                }
            };
            let row = rows.entry((name, Address(account.channel.mint))).or_default();
            row.0.add(sums);
            if cell.open.is_none() {
                row.1 = row.1.saturating_add(sums.prices);
            }
        }
        let row =
            |((name, mint), (sums, settled)): ((String, Address), (Sums, u64))| WorkUsageRow {
                name,
                mint,
                generations: sums.generations,
                units: sums.units,
                prices: Amount(sums.prices),
                charged: Amount(sums.charged),
                settled: Amount(settled),
            };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Returns the prices of generations that have not settled, by work and mint. Each work has an entry.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn vouched(
        &self,
        works: &[Pubkey],
    ) -> Result<BTreeMap<Pubkey, BTreeMap<Pubkey, u64>>, StoreError> {
        let (mut kept, all) = self.cells(works).await?;
        let mut vouched: BTreeMap<Pubkey, BTreeMap<Pubkey, u64>> = BTreeMap::new();
        for (work, cells) in &all {
            let of_work = vouched.entry(*work).or_default();
            for (cell, sums) in cells.iter().filter(|(cell, _)| cell.open.is_some()) {
                let account = self.channel(&mut kept, cell.channel_id, cell.license).await?;
                let sum = of_work.entry(account.channel.mint).or_default();
                *sum = sum.saturating_add(sums.prices);
            }
        }
        Ok(vouched)
    }

    /// Adds up some of the newer generations of a file, so that a later report has few to add. Returns how many
    /// are left. On a server there is nothing to keep.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_some(&self) -> Result<u64, StoreError> {
        let pool = self.tables.current();
        if matches!(pool, Pool::Postgres(_)) {
            return Ok(0);
        }
        let newest = newest(pool).await?;
        let mut kept = self.kept.lock().await;
        add_new(&mut kept, newest, SMALL_STEP, pool).await?;
        Ok(newest.saturating_sub(kept.last).max(0).unsigned_abs())
    }

    /// Returns the present sums of works.
    async fn cells(
        &self,
        works: &[Pubkey],
    ) -> Result<(MutexGuard<'_, Kept>, Vec<(Pubkey, Cells)>), StoreError> {
        let pool = self.tables.caught_up().await?;
        let mut kept = self.kept.lock().await;
        match pool {
            Pool::Sqlite(_) => {
                let newest = newest(pool).await?;
                while kept.last < newest {
                    add_new(&mut kept, newest, STEP, pool).await?;
                }
            }
            // Another process may have written a channel's licenses.
            Pool::Postgres(_) => kept.channels.clear(),
        }
        let (mut settled, mut all) = (HashMap::new(), Vec::with_capacity(works.len()));
        for work in works {
            let cells = match pool {
                Pool::Sqlite(_) => kept.works.get(work.as_array()).cloned().unwrap_or_default(),
                Pool::Postgres(_) => added_up(work, pool).await?,
            };
            let cells = with_settled(&cells, &mut settled, pool).await?;
            if matches!(pool, Pool::Sqlite(_)) && !cells.is_empty() {
                kept.works.insert(work.to_bytes(), cells.clone());
            }
            all.push((*work, cells));
        }
        Ok((kept, all))
    }

    /// Returns the account of a channel that has a license.
    async fn channel<'a>(
        &self,
        kept: &'a mut Kept,
        channel_id: i64,
        license: u16,
    ) -> Result<&'a ChannelAccount, StoreError> {
        let has = |account: &ChannelAccount| account.licenses.len() > usize::from(license);
        if !kept.channels.get(&channel_id).is_some_and(has) {
            let account = query("SELECT account FROM channels WHERE id = $1").bind(channel_id);
            let account = read_account(&account.one(self.tables.current()).await?)?;
            kept.channels.insert(channel_id, account);
        }
        let missing = || StoreError::Corrupt(format!("channel {channel_id} is missing"));
        kept.channels.get(&channel_id).ok_or_else(missing)
    }
}

/// Returns the number of the newest generation; 0 without any.
async fn newest(pool: &Pool) -> Result<i64, StoreError> {
    let newest = query("SELECT COALESCE(MAX(id), 0) AS newest FROM generations");
    Ok(newest.one(pool).await?.get("newest")?)
}

/// Adds up at most `most` of the generations that are newer than the kept sums, up to `newest`.
async fn add_new(kept: &mut Kept, newest: i64, most: i64, pool: &Pool) -> Result<(), StoreError> {
    let end = kept.last.saturating_add(most).min(newest);
    if kept.last >= end {
        return Ok(());
    }
    let sql = format!(
        "SELECT work, {SUMS} FROM generations WHERE id > $1 AND id <= $2 \
         GROUP BY work, channel_id, statement, license, 5"
    );
    let mut settled = HashMap::new();
    let rows = query_of(sql).bind(kept.last).bind(end).all(pool).await?;
    let read = |row: &Row| Ok((row.bytes("work")?, read_cell(row)?));
    // A row that cannot be read must not leave a part of the others added up.
    let read = rows.iter().map(read).collect::<Result<Vec<([u8; 32], _)>, StoreError>>()?;
    for (_, (cell, _)) in &read {
        last_settled(cell.channel_id, &mut settled, pool).await?;
    }
    for (work, (cell, sums)) in read {
        let last = settled.get(&cell.channel_id).copied().unwrap_or(NONE_SETTLED);
        merge(kept.works.entry(work).or_default(), cell, &sums, last);
    }
    kept.last = end;
    Ok(())
}

/// Returns the sums of a work's generations on a server.
async fn added_up(work: &Pubkey, pool: &Pool) -> Result<Cells, StoreError> {
    let sql = format!(
        "SELECT {SUMS} FROM generations WHERE work = $1 GROUP BY channel_id, statement, license, 4"
    );
    let mut cells = Cells::new();
    for row in &query_of(sql).bind(&work.as_array()[..]).all(pool).await? {
        let (cell, sums) = read_cell(row)?;
        cells.entry(cell).or_default().add(&sums);
    }
    Ok(cells)
}

fn read_cell(row: &Row) -> Result<(Cell, Sums), StoreError> {
    let cell = Cell {
        channel_id: row.get("channel_id")?,
        license: row.integer("license")?,
        day: row.get("day")?,
        open: Some(row.get("statement")?),
    };
    let sums = Sums {
        generations: row.integer("generations")?,
        units: row.integer("units")?,
        prices: row.integer("prices")?,
        charged: row.integer("charged")?,
    };
    Ok((cell, sums))
}

/// Returns the sums with those of settled statements merged. `settled` keeps the last settled statement of
/// each channel.
async fn with_settled(
    cells: &Cells,
    settled: &mut HashMap<i64, i64>,
    pool: &Pool,
) -> Result<Cells, StoreError> {
    let mut merged = Cells::new();
    for (cell, sums) in cells {
        let last = match cell.open {
            Some(_) => last_settled(cell.channel_id, settled, pool).await?,
            None => NONE_SETTLED,
        };
        merge(&mut merged, *cell, sums, last);
    }
    Ok(merged)
}

/// Adds sums to those of their cell, given the channel's last settled statement.
fn merge(cells: &mut Cells, cell: Cell, sums: &Sums, last_settled: i64) {
    let open = cell.open.filter(|statement| *statement > last_settled);
    cells.entry(Cell { open, ..cell }).or_default().add(sums);
}

/// Returns the last settled statement of a channel. Statements settle in order.
async fn last_settled(
    channel_id: i64,
    known: &mut HashMap<i64, i64>,
    pool: &Pool,
) -> Result<i64, StoreError> {
    if let Some(last) = known.get(&channel_id) {
        return Ok(*last);
    }
    let last = query(
        "SELECT number FROM statements WHERE channel_id = $1 AND settled_at IS NOT NULL \
         ORDER BY number DESC LIMIT 1",
    );
    let last = match last.bind(channel_id).optional(pool).await? {
        Some(row) => row.get("number")?,
        None => NONE_SETTLED,
    };
    known.insert(channel_id, last);
    Ok(last)
}

/// Returns a day as `2026-11-23`.
fn date(day: i64) -> String {
    let mut text = mpp::timestamp(day.saturating_mul(SECONDS_PER_DAY));
    text.truncate(10);
    text
}
