use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::FileExt,
    path::Path,
};

use super::frame::{PAGE, ReadFrame, Seal};

/// One of the journal's two files: frames one after the other, from the start.
///
/// The file is overwritten once all its frames are in the tables. Its length never shrinks: fsync
/// then writes data only, and no metadata.
#[derive(Debug)]
pub struct Segment {
    file: File,
    /// Length of the file in bytes.
    length: usize,
    /// Offset of the next frame.
    end: usize,
    /// Number of the last frame written.
    last: u64,
}

/// Frame found in a segment.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Number of the frame.
    pub number: u64,
    /// Its records.
    pub records: Vec<u8>,
}

/// Step in which the file grows, bytes.
const GROWTH: usize = 1 << 18;

impl Segment {
    /// Opens a file; creates it if it does not exist.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Self { file, length, end: 0, last: 0 })
    }

    /// Reads all valid frames. A torn frame does not hide those after it.
    pub fn read(&mut self, seal: &Seal) -> io::Result<Vec<Found>> {
        let mut bytes = Vec::with_capacity(self.length);
        (&self.file).read_to_end(&mut bytes)?;
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let frame = ReadFrame::parse(&bytes[at..], seal);
            at += frame.as_ref().map_or(PAGE, |frame| frame.length);
            let found_frame =
                |frame: ReadFrame| Found { number: frame.number, records: frame.records.into() };
            found.extend(frame.map(found_frame));
        }
        Ok(found)
    }

    /// Returns whether a frame of `length` bytes fits into `max_length` bytes of file.
    pub fn fits(&self, length: usize, max_length: usize) -> bool {
        self.end + length <= max_length
    }

    /// Returns the number of the last frame written.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Continues at the start of the file, whose frames are all in the tables.
    pub fn rewind(&mut self) {
        self.end = 0;
    }

    /// Writes a frame after the last one. It is durable after [`Segment::sync`].
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

    /// Waits until everything written is durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
