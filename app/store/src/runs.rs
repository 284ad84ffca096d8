//! Index of a file's generations, appended in runs.
//!
//! A B-tree index has a place for each digest anywhere in the tree, so that in a large table each
//! generation would write one page per key. Here every batch is a run: the tags of all keys of its
//! generations, sorted, in one piece. A lookup searches every run; small runs are merged so that
//! their number stays low ([`merge_length`]). A tag is shorter than the key, which the generation
//! itself has.
//!
//! A run is written by the transaction that writes its generations.

use crate::{
    generation::Generation,
    lookup_key::LookupKey,
    sql::{Connection, Pool, Row, query},
};

/// A key's tag, and the offset of its generation in the run.
type Entry = (u64, u32);

/// Length of an entry in bytes.
const ENTRY: usize = 12;
/// Number of runs of one size that are merged. Sizes are powers of it.
const FAN_IN: i64 = 8;
/// Generations of a run that is not merged any more.
const FULL: i64 = FAN_IN.pow(5);
/// Minimum average number of entries in a bucket of a run with several buckets. The maximum is below
/// twice as many, so that a bucket fits in a page.
const BUCKET_ENTRIES: usize = 128;
/// Maximum number of buckets in a run, as a power of two.
const MAX_BUCKET_BITS: u32 = 16;
/// Number of runs searched by one query.
const RUNS_PER_QUERY: i64 = 16;

/// Consecutive generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: i64,
    count: i64,
    earliest: i64,
    latest: i64,
}

impl Run {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let (first, count) = (row.get("first")?, row.get("count")?);
        Ok(Self { first, count, earliest: row.get("earliest")?, latest: row.get("latest")? })
    }
}

/// Returns the number of the next generation.
pub async fn next_id(of: &mut Connection) -> Result<i64, sqlx::Error> {
    let rows = query("SELECT COALESCE(MAX(id), 0) + 1 AS next FROM generations").all_of(of).await?;
    rows.first().ok_or(sqlx::Error::RowNotFound)?.get("next")
}

/// Adds a run for generations that were inserted as numbers `first` and up. `digests` are those of
/// their receipts.
pub async fn add(
    first: i64,
    generations: &[&Generation],
    digests: &[[u8; 32]],
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let times = || generations.iter().map(|generation| generation.receipt.receipt.issued_at);
    let (Some(earliest), Some(latest)) = (times().min(), times().max()) else { return Ok(()) };
    let mut entries = Vec::with_capacity(3 * generations.len());
    for ((generation, digest), offset) in generations.iter().zip(digests).zip(0..) {
        let receipt = &generation.receipt.receipt;
        let idempotency = LookupKey::Idempotency {
            channel_id: generation.channel_id,
            statement: receipt.statement,
            key: &generation.idempotency_key,
        };
        let output = LookupKey::Output(&receipt.output_digest);
        let keys = [LookupKey::Receipt(digest), output, idempotency];
        entries.extend(keys.map(|key| (key.tag(), offset)));
    }
    entries.sort_unstable();
    let count = generations.len() as i64;
    write(Run { first, count, earliest, latest }, &entries, to).await?;
    merge(to).await
}

/// Searches at most [`RUNS_PER_QUERY`] runs for generations from the number `from` on. Returns the
/// numbers of generations with a key of this tag, ascending, and the number to continue from, if there
/// may be more.
///
/// Runs may be merged between two calls. A call continues at a generation, not at a run, so that it
/// also searches a merged run that begins before it.
pub async fn find(
    tag: u64,
    from: i64,
    pool: &Pool,
) -> Result<(Vec<i64>, Option<i64>), sqlx::Error> {
    let rows = query(
        "SELECT first, count, entries FROM runs CROSS JOIN buckets \
         ON place = (first << 16) + ($1 >> shift) \
         WHERE first >= (SELECT COALESCE(MAX(first), 0) FROM runs WHERE first <= $2) \
         AND first + count > $2 ORDER BY first LIMIT $3",
    );
    let rows = rows.bind(head(tag)).bind(from).bind(RUNS_PER_QUERY).all(pool).await?;
    let (mut ids, mut next) = (Vec::new(), from);
    for row in &rows {
        let (first, bytes): (i64, Vec<u8>) = (row.get("first")?, row.get("entries")?);
        let (bytes, _) = bytes.as_chunks::<ENTRY>();
        let begin = bytes.partition_point(|bytes| entry(bytes).0 < tag);
        let same = bytes[begin..].iter().map(entry).take_while(|entry| entry.0 == tag);
        let same = same.map(|(_, offset)| first + i64::from(offset));
        ids.extend(same.filter(|id| *id >= from));
        next = first + row.get::<i64>("count")?;
    }
    ids.dedup();
    Ok((ids, (rows.len() as i64 == RUNS_PER_QUERY).then_some(next)))
}

/// Merges the newest runs while there are too many of one size.
async fn merge(to: &mut Connection) -> Result<(), sqlx::Error> {
    loop {
        let rows = query("SELECT * FROM runs ORDER BY first DESC LIMIT 256").all_of(to).await?;
        let newest = rows.iter().map(Run::read).collect::<Result<Vec<_>, _>>()?;
        let counts: Vec<_> = newest.iter().map(|run| run.count).collect();
        let Some(parts) = merge_length(&counts).map(|length| &newest[..length]) else {
            return Ok(());
        };
        let (Some(last), Some(first)) = (parts.first(), parts.last()) else { return Ok(()) };
        let mut entries = Vec::new();
        for part in parts.iter().rev() {
            let before = u32::try_from(part.first - first.first).map_err(out_of_range)?;
            let rows = query(
                "SELECT entries FROM buckets WHERE place >= $1 << 16 AND place < ($1 + 1) << 16 \
                 ORDER BY place",
            );
            for row in rows.bind(part.first).all_of(to).await? {
                let bytes: Vec<u8> = row.get("entries")?;
                let (bytes, _) = bytes.as_chunks::<ENTRY>();
                entries.extend(bytes.iter().map(entry).map(|(tag, offset)| (tag, before + offset)));
            }
        }
        // The stable sort detects the runs, which are sorted.
        entries.sort();
        let delete = query("DELETE FROM buckets WHERE place >= $1 << 16");
        delete.bind(first.first).execute(to).await?;
        let delete = query("DELETE FROM runs WHERE first >= $1");
        delete.bind(first.first).execute(to).await?;
        let earliest = parts.iter().map(|part| part.earliest).min().unwrap_or(first.earliest);
        let latest = parts.iter().map(|part| part.latest).max().unwrap_or(last.latest);
        let count = last.first + last.count - first.first;
        write(Run { first: first.first, count, earliest, latest }, &entries, to).await?;
    }
}

/// Returns how many of the newest runs are merged, given the number of generations of each, newest
/// first: once eight runs have one size, all of that size or smaller. Each generation is thus written
/// again at most once per size, and there are few runs of each size.
fn merge_length(newest: &[i64]) -> Option<usize> {
    let size = |count: i64| count.checked_ilog(FAN_IN).unwrap_or(0);
    (0..size(FULL)).find_map(|of| {
        let length = newest.iter().take_while(|count| size(**count) <= of).count();
        let same = newest[..length].iter().filter(|count| size(**count) == of).count();
        (same as i64 >= FAN_IN).then_some(length)
    })
}

/// Writes a run of sorted entries.
async fn write(run: Run, entries: &[Entry], to: &mut Connection) -> Result<(), sqlx::Error> {
    let bits = (entries.len() / BUCKET_ENTRIES).checked_ilog2().unwrap_or(0).min(MAX_BUCKET_BITS);
    let shift = 32 - i64::from(bits);
    let row = query(
        "INSERT OR REPLACE INTO runs (first, count, earliest, latest, shift) \
         VALUES ($1, $2, $3, $4, $5)",
    );
    let row = row.bind(run.first).bind(run.count).bind(run.earliest).bind(run.latest).bind(shift);
    row.execute(to).await?;
    for bucket in entries.chunk_by(|one, next| head(one.0) >> shift == head(next.0) >> shift) {
        let bytes: Vec<u8> = bucket.iter().flat_map(to_bytes).collect();
        let row = query("INSERT OR REPLACE INTO buckets (place, entries) VALUES ($1, $2)");
        let place = (run.first << 16) + (head(bucket[0].0) >> shift);
        row.bind(place).bind(&bytes[..]).execute(to).await?;
    }
    Ok(())
}

/// Returns the first 32 bits of a tag.
fn head(tag: u64) -> i64 {
    (tag >> 32) as i64
}

fn to_bytes((tag, offset): &Entry) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    bytes[..8].copy_from_slice(&tag.to_be_bytes());
    bytes[8..].copy_from_slice(&offset.to_be_bytes());
    bytes
}

fn entry(&[a, b, c, d, e, f, g, h, i, j, k, l]: &[u8; ENTRY]) -> Entry {
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]), u32::from_be_bytes([i, j, k, l]))
}

fn out_of_range(error: std::num::TryFromIntError) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, SqliteConnection, SqlitePool};

    use super::*;

    #[test]
    fn entry_round_trips_in_order() {
        let entries = [(0, u32::MAX), (1, 0), (255, 7), (256, 2), (u64::MAX, 1)];
        let bytes = entries.map(|entry| to_bytes(&entry));
        assert!(bytes.is_sorted());
        assert_eq!(bytes.map(|bytes| entry(&bytes)), entries);
    }

    #[tokio::test]
    async fn merge_between_queries_hides_no_generation() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}?mode=rwc", folder.path().join("runs.sqlite").display());
        let mut to = Connection::Sqlite(SqliteConnection::connect(&file).await.unwrap());
        for table in [
            "CREATE TABLE runs (first INTEGER PRIMARY KEY, count INTEGER, earliest INTEGER, \
             latest INTEGER, shift INTEGER)",
            "CREATE TABLE buckets (place INTEGER PRIMARY KEY, entries BLOB)",
        ] {
            query(table).execute(&mut to).await.unwrap();
        }
        let pool = Pool::Sqlite(SqlitePool::connect(&file).await.unwrap());
        // Seven runs of each of three sizes: one more of one generation merges the last seven.
        let mut first = 1;
        let counts = [64_i64, 8, 1].into_iter().flat_map(|count| [count; 7]);
        for count in counts {
            let run = Run { first, count, earliest: 0, latest: 0 };
            write(run, &[(first as u64, 0)], &mut to).await.unwrap();
            merge(&mut to).await.unwrap();
            first += count;
        }
        let sought = first as u64 - 1; // in the newest run
        let (ids, next) = find(sought, 0, &pool).await.unwrap();
        assert_eq!(ids, [] as [i64; 0]);

        let run = Run { first, count: 1, earliest: 0, latest: 0 };
        write(run, &[(first as u64, 0)], &mut to).await.unwrap();
        merge(&mut to).await.unwrap();
        let runs = query("SELECT * FROM runs").all(&pool).await.unwrap();
        assert_eq!(runs.len(), 1, "all were merged");
        let (ids, next) = find(sought, next.unwrap(), &pool).await.unwrap();
        assert_eq!((ids, next), (vec![sought as i64], None));
    }

    #[test]
    fn eight_runs_of_one_size_are_merged() {
        assert_eq!(merge_length(&[]), None);
        assert_eq!(merge_length(&[1; 7]), None);
        assert_eq!(merge_length(&[1; 8]), Some(8));
        // A larger run ends the series.
        assert_eq!(merge_length(&[1, 1, 1, 1, 8, 1, 1, 1, 1]), None);
        // Smaller runs in between are merged too.
        assert_eq!(merge_length(&[1, 8, 8, 8, 1, 8, 8, 8, 8, 8, 64]), Some(10));
        assert_eq!(merge_length(&[FULL; 200]), None);
    }

    #[test]
    fn runs_stay_few_and_are_rewritten_rarely() {
        for batch in [1_i64, 3, 4_096, 8_192] {
            let (mut runs, mut rewritten, all) = (Vec::new(), 0, 40_000);
            for _ in 0..all {
                runs.insert(0, batch);
                while let Some(length) = merge_length(&runs) {
                    let whole: i64 = runs.drain(..length).sum();
                    rewritten += whole;
                    runs.insert(0, whole);
                }
            }
            let small = runs.iter().filter(|count| **count < FULL).count();
            assert!(small <= 35, "{small} of batches of {batch}");
            assert_eq!(runs.iter().sum::<i64>(), all * batch);
            assert!(rewritten <= 5 * all * batch, "{rewritten} of {}", all * batch);
        }
    }
}
