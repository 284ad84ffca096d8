use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use super::{
    frame::{PAGE, ReadFrame, Seal},
    header::{Header, Owner},
};

/// One of the journal's two files: its header, then frames one after the other.
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

/// Frames found in a segment.
#[derive(Debug, Default)]
pub struct Contents {
    /// All valid frames.
    pub found: Vec<Found>,
    /// Numbers in the headers of invalid frames.
    pub torn: Vec<u64>,
}

/// Step in which the file grows, bytes.
const GROWTH: usize = 1 << 18;

impl Segment {
    /// Opens the file of a journal, which is created for this user if it does not exist. Returns whose
    /// file it is.
    pub fn open(path: &Path, id: &[u8; 32]) -> io::Result<(Self, Owner)> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path)?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut page = vec![0; length.min(PAGE)];
        file.read_exact_at(&mut page, 0)?;
        let owner = Header::owner(&page, id);
        Ok((Self { file, length, end: PAGE, last: 0 }, owner))
    }

    /// Names the journal in a new file. Durable after [`Segment::sync`].
    pub fn write_header(&mut self, id: &[u8; 32]) -> io::Result<()> {
        self.file.write_all_at(&Header::to_page(id), 0)?;
        self.length = self.length.max(PAGE);
        Ok(())
    }

    /// Reads all valid frames. A torn frame does not hide those after it.
    pub fn read(&mut self, seal: &Seal) -> io::Result<Contents> {
        let mut bytes = Vec::with_capacity(self.length);
        (&self.file).read_to_end(&mut bytes)?;
        let (mut contents, mut at) = (Contents::default(), PAGE);
        while at < bytes.len() {
            match ReadFrame::parse(&bytes[at..], seal) {
                Some(frame) => {
                    at += frame.length;
                    let (number, records) = (frame.number, frame.records.into());
                    contents.found.push(Found { number, records });
                }
                None => {
                    contents.torn.extend(ReadFrame::claimed_number(&bytes[at..]));
                    at += PAGE;
                }
            }
        }
        Ok(contents)
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
        self.end = PAGE;
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
