//! What has been acknowledged and is not in the tables yet, in two files beside the store's.
//!
//! A generation has its row, its place and its names in the tables, so making each group of them
//! durable there writes many pages. Here it is one [`frame`] behind the last one and one
//! synchronisation. The tables get it later, in larger groups and on another thread, with the
//! number of the last frame they have; whatever the journal has beyond that number is written
//! into them when the store is opened. `docs/decisions/0015-journal.md` says why.

mod frame;
mod keeper;
mod record;
mod segment;

use std::{
    fmt::Display,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use borsh::BorshDeserialize;

use super::{Change, Moment, Moments, StoreError};
use frame::Frame;
use record::Record;
use segment::{Found, Segment};

pub use frame::Seal;
pub use keeper::Keeper;

/// The two files, of which one is written while the tables get the other.
#[derive(Debug)]
pub struct Journal {
    segments: [Segment; 2],
    current: usize,
    /// Of the frame that comes next.
    number: u64,
    seal: Seal,
    /// The most a file may have, bytes.
    most: usize,
}

/// How far the journal and the tables are.
#[derive(Debug)]
pub struct Progress {
    /// The last frame that is on disk.
    pub written: AtomicU64,
    /// The last frame that is in the tables.
    pub applied: AtomicU64,
}

/// What the tables lack.
#[derive(Debug, Default)]
pub struct Unapplied {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// The frame with the last of them; what is in the tables already if there is none.
    pub through: u64,
}

/// Bytes of a file: some forty thousand generations.
const SEGMENT: usize = 16 << 20;

impl Progress {
    fn at(number: u64) -> Self {
        Self { written: number.into(), applied: number.into() }
    }

    /// Whether the tables have everything.
    pub fn is_even(&self) -> bool {
        self.applied.load(Ordering::Acquire) >= self.written.load(Ordering::Acquire)
    }
}

impl Journal {
    /// Opens the journal of a store's file, or makes it, and reads what the tables lack:
    /// everything beyond the frame `applied`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a frame is missing before a later one. The last one may be
    /// torn: then nobody was told of it.
    pub fn open(store: &Path, applied: u64, seal: Seal) -> Result<(Self, Unapplied), StoreError> {
        Self::open_with(store, applied, seal, SEGMENT)
    }

    fn open_with(
        store: &Path,
        applied: u64,
        seal: Seal,
        most: usize,
    ) -> Result<(Self, Unapplied), StoreError> {
        let failed = |error: io::Error| StoreError::Failed(format!("the journal: {error}"));
        let open = |number: usize| Segment::open(&place(store, number));
        let mut segments = [open(0).map_err(failed)?, open(1).map_err(failed)?];
        synchronise_folder(store).map_err(failed)?;
        let mut found = segments[0].read(&seal).map_err(failed)?;
        found.extend(segments[1].read(&seal).map_err(failed)?);
        let unapplied = unapplied(found, applied)?;
        let number = unapplied.through + 1;
        Ok((Self { segments, current: 0, number, seal, most }, unapplied))
    }

    /// Whether a frame has a place, once the tables have everything up to `applied`.
    fn has_place(&self, frame: &Frame, applied: u64) -> bool {
        let other = &self.segments[1 - self.current];
        self.fits(frame) || other.last() <= applied
    }

    fn fits(&self, frame: &Frame) -> bool {
        self.segments[self.current].fits(frame.length(), self.most)
    }

    /// Makes a frame durable, where it has a place; returns its number.
    fn append(&mut self, frame: &mut Frame, moments: &dyn Moments) -> io::Result<u64> {
        if !self.fits(frame) {
            self.current = 1 - self.current;
            self.segments[self.current].rewind();
        }
        let number = self.number;
        let bytes = frame.seal(number, &self.seal);
        let segment = &mut self.segments[self.current];
        segment.write(number, bytes)?;
        moments.pass(Moment::Committing);
        segment.synchronise()?;
        self.number += 1;
        Ok(number)
    }
}

/// The changes of the frames behind `applied`, of which none may be missing.
fn unapplied(mut found: Vec<Found>, applied: u64) -> Result<Unapplied, StoreError> {
    found.retain(|frame| frame.number > applied);
    found.sort_unstable_by_key(|frame| frame.number);
    let mut unapplied = Unapplied { changes: Vec::new(), through: applied };
    for frame in found {
        let expected = unapplied.through + 1;
        if frame.number != expected {
            return Err(StoreError::Corrupt(format!("frame {expected} of the journal is missing")));
        }
        let mut records = &frame.records[..];
        while !records.is_empty() {
            let corrupt = |error: &dyn Display| {
                StoreError::Corrupt(format!("frame {expected} of the journal: {error}"))
            };
            let record = Record::deserialize(&mut records).map_err(|error| corrupt(&error))?;
            let change = Change::try_from(record).map_err(|error| corrupt(&error))?;
            unapplied.changes.push(change);
        }
        unapplied.through = frame.number;
    }
    Ok(unapplied)
}

/// Where a file of the journal is.
fn place(store: &Path, number: usize) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(format!(".journal-{number}"));
    name.into()
}

/// Has the folder remember its new files.
fn synchronise_folder(store: &Path) -> io::Result<()> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
