//! Write-ahead journal of a file's store: two files beside it that have what was acknowledged and
//! is not in the tables yet.
//!
//! Making a group of generations durable in the tables writes many pages. In the journal it is one
//! [`frame`] appended and one fsync. The tables get the records later, in larger batches and on
//! another thread, together with the number of the last frame they have; when the store is opened,
//! the frames after that number are written into the tables. `docs/decisions/0015-journal.md` gives
//! the reasons.

mod frame;
mod header;
mod record;
mod segment;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use borsh::BorshDeserialize;

use crate::{
    bad_frame::{describe, drop_frame},
    change::Change,
    error::StoreError,
    failpoint::{Failpoint, Failpoints},
    work::Unapplied,
};
use header::Owner;
use segment::{Found, Segment};

pub use frame::{Frame, Seal};
pub use record::Record;

/// Two files, of which one is written while the records of the other go into the tables.
#[derive(Debug)]
pub struct Journal {
    segments: [Segment; 2],
    current: usize,
    /// Number of the next frame.
    number: u64,
    seal: Seal,
    /// Maximum length of a file in bytes.
    max_length: usize,
}

/// A journal as it was found.
#[derive(Debug)]
pub struct OpenedJournal {
    /// The journal.
    pub journal: Journal,
    /// Frames that the tables lack, in order.
    pub unapplied: Vec<Unapplied>,
    /// Whether a frame follows them that was not written whole.
    pub is_torn: bool,
}

/// Maximum length of a file in bytes: about 40,000 generations.
const MAX_LENGTH: usize = 16 << 20;

impl Journal {
    /// Opens the journal of a store's file and reads the frames after the number `applied`. Frames in
    /// `skip` that cannot be read are dropped. If the store `is_clean`, a missing file is created.
    ///
    /// # Errors
    /// [`StoreError::JournalMissing`]; [`StoreError::ForeignJournal`]; [`StoreError::BadFrame`] if a
    /// frame is missing before a later one or has an invalid record. The last frame may be torn: it was
    /// never acknowledged, and is ignored.
    pub fn open(
        store: &Path,
        applied: u64,
        seal: Seal,
        is_clean: bool,
        skip: &[u64],
    ) -> Result<OpenedJournal, StoreError> {
        Self::open_with(store, applied, seal, is_clean, skip, MAX_LENGTH)
    }

    fn open_with(
        store: &Path,
        applied: u64,
        seal: Seal,
        is_clean: bool,
        skip: &[u64],
        max_length: usize,
    ) -> Result<OpenedJournal, StoreError> {
        let failed = |error: io::Error| StoreError::Failed(format!("journal: {error}"));
        let id = seal.journal_id();
        let open = |number: usize| {
            let path = segment_path(store, number);
            if !is_clean && !path.try_exists().map_err(failed)? {
                return Err(StoreError::JournalMissing(path));
            }
            let (mut segment, owner) = Segment::open(&path, &id).map_err(failed)?;
            match owner {
                Owner::This => {}
                Owner::Nothing if is_clean => {
                    segment.write_header(&id).and_then(|()| segment.sync()).map_err(failed)?;
                }
                Owner::Nothing => return Err(StoreError::JournalMissing(path)),
                Owner::Other => return Err(StoreError::ForeignJournal(path)),
            }
            Ok(segment)
        };
        let mut segments = [open(0)?, open(1)?];
        sync_folder(store).map_err(failed)?;
        let mut contents = segments[0].read(&seal).map_err(failed)?;
        let other = segments[1].read(&seal).map_err(failed)?;
        contents.found.extend(other.found);
        let unapplied = unapplied(contents.found, applied, skip)?;
        let number = unapplied.last().map_or(applied, |frame| frame.through) + 1;
        let is_torn = contents.torn.iter().chain(&other.torn).any(|torn| *torn == number);
        let journal = Self { segments, current: 0, number, seal, max_length };
        Ok(OpenedJournal { journal, unapplied, is_torn })
    }

    /// Returns the number of the next frame.
    pub fn next_number(&self) -> u64 {
        self.number
    }

    /// Returns whether a frame can be appended, if the tables have every frame through `applied`.
    pub fn has_room(&self, frame: &Frame, applied: u64) -> bool {
        let other = &self.segments[1 - self.current];
        self.fits(frame) || other.last() <= applied
    }

    fn fits(&self, frame: &Frame) -> bool {
        self.segments[self.current].fits(frame.length(), self.max_length)
    }

    /// Appends a frame that the journal has room for and makes it durable; returns its number.
    pub fn append(&mut self, frame: &mut Frame, failpoints: &dyn Failpoints) -> io::Result<u64> {
        if !self.fits(frame) {
            self.current = 1 - self.current;
            self.segments[self.current].rewind();
        }
        let number = self.number;
        let bytes = frame.seal(number, &self.seal);
        let segment = &mut self.segments[self.current];
        segment.write(number, bytes)?;
        failpoints.hit(Failpoint::Committing);
        segment.sync()?;
        self.number += 1;
        Ok(number)
    }
}

/// Returns the frames after `applied`, in order. Missing frames must be in `skip`.
fn unapplied(
    mut found: Vec<Found>,
    applied: u64,
    skip: &[u64],
) -> Result<Vec<Unapplied>, StoreError> {
    found.retain(|frame| frame.number > applied);
    found.sort_unstable_by_key(|frame| frame.number);
    let (mut unapplied, mut expected) = (Vec::with_capacity(found.len()), applied + 1);
    for frame in found {
        for number in expected..frame.number {
            let contents = "nothing that can be read".to_owned();
            drop_frame(number, "is missing".to_owned(), contents, skip)?;
            unapplied.push(Unapplied { changes: Vec::new(), through: number });
        }
        if frame.number < expected {
            let text = format!("the journal has frame {} twice", frame.number);
            return Err(StoreError::Corrupt(text));
        }
        unapplied.push(Unapplied { changes: changes(&frame, skip)?, through: frame.number });
        expected = frame.number + 1;
    }
    Ok(unapplied)
}

/// Returns the changes of a frame, or none if it is dropped.
fn changes(frame: &Found, skip: &[u64]) -> Result<Vec<Change>, StoreError> {
    let (mut changes, mut records) = (Vec::new(), &frame.records[..]);
    while !records.is_empty() {
        let record = Record::deserialize(&mut records).map_err(|error| error.to_string());
        let change = |record: Record| Change::try_from(record).map_err(|error| error.to_string());
        match record.and_then(change) {
            Ok(change) => changes.push(change),
            Err(error) => {
                let contents = format!("{}, and an invalid record", describe(&changes));
                let fault = format!("cannot be read ({error})");
                drop_frame(frame.number, fault, contents, skip)?;
                return Ok(Vec::new());
            }
        }
    }
    Ok(changes)
}

fn segment_path(store: &Path, number: usize) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(format!(".journal-{number}"));
    name.into()
}

/// Makes new files durable in their folder.
fn sync_folder(store: &Path) -> io::Result<()> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
