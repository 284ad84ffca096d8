use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::FileExt,
    path::Path,
};

use super::frame::{PAGE, Read, Seal};

/// One of the journal's two files: frames one after the other, from the beginning.
///
/// It is written over once everything in it is in the tables. Its length grows to the first
/// round's and stays: synchronising is then about contents alone, which is the faster half.
#[derive(Debug)]
pub struct Segment {
    file: File,
    /// Bytes of the file.
    length: usize,
    /// Where the next frame goes.
    end: usize,
    /// The last frame in it.
    last: u64,
}

/// A frame that was found in a segment.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub number: u64,
    /// Its records.
    pub records: Vec<u8>,
}

/// How much a file grows at once.
const GROWTH: usize = 1 << 18;

impl Segment {
    /// Opens a file, or makes it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Self { file, length, end: 0, last: 0 })
    }

    /// All whole frames, wherever they begin.
    pub fn read(&mut self, seal: &Seal) -> io::Result<Vec<Found>> {
        let mut bytes = Vec::with_capacity(self.length);
        (&self.file).read_to_end(&mut bytes)?;
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let frame = Read::of(&bytes[at..], seal);
            at += frame.as_ref().map_or(PAGE, |frame| frame.length);
            let whole = |frame: Read| Found { number: frame.number, records: frame.records.into() };
            found.extend(frame.map(whole));
        }
        Ok(found)
    }

    /// Whether so many bytes fit, in a file of at most `most`.
    pub fn fits(&self, length: usize, most: usize) -> bool {
        self.end + length <= most
    }

    /// The last frame that was written to it.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Begins at the beginning again: nothing in it is needed any more.
    pub fn rewind(&mut self) {
        self.end = 0;
    }

    /// Writes a frame behind the last one. It is not on disk before [`Segment::synchronise`].
    pub fn write(&mut self, number: u64, frame: &[u8]) -> io::Result<()> {
        let end = self.end + frame.len();
        if end > self.length {
            let grown = end.next_multiple_of(GROWTH);
            self.file.write_all_at(&vec![0; grown - end], end as u64)?;
            self.length = grown;
        }
        self.file.write_all_at(frame, self.end as u64)?;
        (self.end, self.last) = (end, number);
        Ok(())
    }

    /// Waits until what was written is on disk.
    pub fn synchronise(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
