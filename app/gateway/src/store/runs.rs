//! How a file finds generations: an index that is written in order.
//!
//! An index of SQLite's own is a tree in which each new digest has a place anywhere, so in a large
//! one each generation writes a page for each of its names. Here every batch of the journal
//! is a run: the tags of all names of its generations, sorted, in one piece. A name is looked for in
//! every run; so that those stay few, small ones are joined ([`joined`]). A tag is not the whole
//! name, which the generation has itself.
//!
//! A run is written by the transaction that writes its generations.

use super::{
    Generation, StoreError,
    finding::Name,
    sql::{Connection, Pool, Row, query},
};

/// A name's tag, and how many generations of the run come before the one it belongs to.
type Entry = (u64, u32);

/// Bytes of an entry.
const ENTRY: usize = 12;
/// Runs are joined when there are so many of a size, and sizes are powers of this.
const JOINED: i64 = 8;
/// Runs of so many generations are joined no more.
const FULL: i64 = JOINED.pow(5);
/// Entries of a bucket are at least this many on average and fewer than twice as many, if there is
/// more than one bucket: few enough for a page.
const IN_BUCKET: usize = 128;
/// The most buckets of a run: the power of two.
const MOST_BITS: u32 = 16;
/// Runs that are looked into at once.
const AT_ONCE: i64 = 16;
/// Generations that get a run at once when there is none.
const COVERED: i64 = 32_768;

/// Generations that came one after the other.
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

/// The number of the next generation.
pub(super) async fn next(of: &mut Connection) -> Result<i64, sqlx::Error> {
    let rows = query("SELECT COALESCE(MAX(id), 0) + 1 AS next FROM generations").all_of(of).await?;
    rows.first().ok_or(sqlx::Error::RowNotFound)?.get("next")
}

/// Makes generations findable, which have just been inserted, the first of them as number `first`;
/// `digests` are those of their receipts.
pub(super) async fn add(
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
        let key = Name::Key {
            channel_id: generation.channel_id,
            statement: receipt.statement,
            key: &generation.idempotency_key,
        };
        let names = [Name::Receipt(digest), Name::Output(&receipt.output_digest), key];
        entries.extend(names.map(|name| (name.tag(), offset)));
    }
    entries.sort_unstable();
    let count = generations.len() as i64;
    write(Run { first, count, earliest, latest }, &entries, to).await?;
    join(to).await
}

/// Numbers of generations one of whose names has this tag, ascending, of at most so many runs behind
/// the one that begins with `behind`; and the one to go on behind, if there may be more.
pub(super) async fn tagged(
    tag: u64,
    behind: i64,
    pool: &Pool,
) -> Result<(Vec<i64>, Option<i64>), sqlx::Error> {
    let rows = query(
        "SELECT first, entries FROM runs CROSS JOIN buckets \
         ON place = (first << 16) + ($1 >> shift) WHERE first > $2 ORDER BY first LIMIT $3",
    );
    let rows = rows.bind(head(tag)).bind(behind).bind(AT_ONCE).all(pool).await?;
    let (mut ids, mut last) = (Vec::new(), behind);
    for row in &rows {
        let (first, bytes): (i64, Vec<u8>) = (row.get("first")?, row.get("entries")?);
        let (bytes, _) = bytes.as_chunks::<ENTRY>();
        let begin = bytes.partition_point(|bytes| entry(bytes).0 < tag);
        let same = bytes[begin..].iter().map(entry).take_while(|entry| entry.0 == tag);
        ids.extend(same.map(|(_, offset)| first + i64::from(offset)));
        last = first;
    }
    ids.dedup();
    Ok((ids, (rows.len() as i64 == AT_ONCE).then_some(last)))
}

/// Gives runs to generations that have none, because they are older than runs are.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn cover(to: &mut Connection) -> Result<(), StoreError> {
    let covered = "SELECT COALESCE(MAX(first + count), 1) AS next FROM runs";
    loop {
        let rows = query(covered).all_of(to).await?;
        let first: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.get("next")?;
        let sql = format!(
            "SELECT {} FROM generations JOIN channels ON channels.id = channel_id \
             WHERE generations.id >= $1 AND generations.id < $2 ORDER BY generations.id",
            Generation::COLUMNS
        );
        let rows = super::sql::query_of(sql).bind(first).bind(first + COVERED).all_of(to).await?;
        let generations = rows.iter().map(Generation::read).collect::<Result<Vec<_>, _>>()?;
        if generations.is_empty() {
            return Ok(());
        }
        let digest = |generation: &Generation| generation.receipt.receipt.digest();
        let digests: Vec<_> = generations.iter().map(digest).collect();
        query("BEGIN IMMEDIATE").execute(to).await?;
        add(first, &generations.iter().collect::<Vec<_>>(), &digests, to).await?;
        query("COMMIT").execute(to).await?;
    }
}

/// Joins the newest runs while there are too many of a size.
async fn join(to: &mut Connection) -> Result<(), sqlx::Error> {
    loop {
        let rows = query("SELECT * FROM runs ORDER BY first DESC LIMIT 256").all_of(to).await?;
        let newest = rows.iter().map(Run::read).collect::<Result<Vec<_>, _>>()?;
        let counts: Vec<_> = newest.iter().map(|run| run.count).collect();
        let Some(parts) = joined(&counts).map(|length| &newest[..length]) else { return Ok(()) };
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
        // Stable: it finds the runs, which are in order.
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

/// How many of the newest runs become one, given how many generations each has, newest first: as
/// many as are of a size or smaller, once eight are of that size. What is written again is thus
/// eight times as much each time, and of each size there are few.
fn joined(newest: &[i64]) -> Option<usize> {
    let size = |count: i64| count.checked_ilog(JOINED).unwrap_or(0);
    (0..size(FULL)).find_map(|of| {
        let length = newest.iter().take_while(|count| size(**count) <= of).count();
        let same = newest[..length].iter().filter(|count| size(**count) == of).count();
        (same as i64 >= JOINED).then_some(length)
    })
}

/// Writes a run, whose entries are in order.
async fn write(run: Run, entries: &[Entry], to: &mut Connection) -> Result<(), sqlx::Error> {
    let bits = (entries.len() / IN_BUCKET).checked_ilog2().unwrap_or(0).min(MOST_BITS);
    let shift = 32 - i64::from(bits);
    let row = query(
        "INSERT INTO runs (first, count, earliest, latest, shift) VALUES ($1, $2, $3, $4, $5)",
    );
    let row = row.bind(run.first).bind(run.count).bind(run.earliest).bind(run.latest).bind(shift);
    row.execute(to).await?;
    for bucket in entries.chunk_by(|one, next| head(one.0) >> shift == head(next.0) >> shift) {
        let bytes: Vec<u8> = bucket.iter().flat_map(to_bytes).collect();
        let row = query("INSERT INTO buckets (place, entries) VALUES ($1, $2)");
        let place = (run.first << 16) + (head(bucket[0].0) >> shift);
        row.bind(place).bind(&bytes[..]).execute(to).await?;
    }
    Ok(())
}

/// A tag's first 32 bits.
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
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written_and_in_order() {
        let entries = [(0, u32::MAX), (1, 0), (255, 7), (256, 2), (u64::MAX, 1)];
        let bytes = entries.map(|entry| to_bytes(&entry));
        assert!(bytes.is_sorted());
        assert_eq!(bytes.map(|bytes| entry(&bytes)), entries);
    }

    #[test]
    fn runs_are_joined_when_there_are_eight_of_a_size() {
        assert_eq!(joined(&[]), None);
        assert_eq!(joined(&[1; 7]), None);
        assert_eq!(joined(&[1; 8]), Some(8));
        // A larger one stays out of it, and so does a smaller one behind it.
        assert_eq!(joined(&[1, 1, 1, 1, 8, 1, 1, 1, 1]), None);
        // Smaller ones between them are taken with them.
        assert_eq!(joined(&[1, 8, 8, 8, 1, 8, 8, 8, 8, 8, 64]), Some(10));
        assert_eq!(joined(&[FULL; 200]), None);
    }

    #[test]
    fn however_many_there_are_runs_are_few_and_none_is_written_often() {
        for batch in [1_i64, 3, 4_096, 8_192] {
            let (mut runs, mut rewritten, all) = (Vec::new(), 0, 40_000);
            for _ in 0..all {
                runs.insert(0, batch);
                while let Some(length) = joined(&runs) {
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
