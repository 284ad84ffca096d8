use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// Part of a source, after bytes that the source does not have.
pub struct Part<S> {
    source: S,
    header: Vec<u8>,
    start: u64,
    length: u64,
    /// Offset in header and part together.
    at: u64,
}

impl<S: Read + Seek> Part<S> {
    /// Creates a source of `header`, then `length` bytes of `source` from `start` on.
    pub fn new(source: S, header: Vec<u8>, start: u64, length: u64) -> Self {
        Self { source, header, start, length, at: 0 }
    }

    /// Returns a source of `header`, then `length` bytes of this one's part from `start` on.
    pub fn within(self, header: Vec<u8>, start: u64, length: u64) -> Self {
        let start = self.start.saturating_add(start);
        Self { source: self.source, header, start, length, at: 0 }
    }

    fn end(&self) -> u64 {
        self.length.saturating_add(self.header.len() as u64)
    }
}

impl<S: Read + Seek> Read for Part<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let header = usize::try_from(self.at).ok().and_then(|at| self.header.get(at..));
        let read = match header.filter(|header| !header.is_empty()) {
            Some(mut header) => header.read(buffer)?,
            None => {
                let left = usize::try_from(self.end().saturating_sub(self.at));
                let wanted = buffer.len().min(left.unwrap_or(usize::MAX));
                let place = self.at - self.header.len() as u64; // the header was read
                self.source.seek(SeekFrom::Start(self.start.saturating_add(place)))?;
                self.source.read(&mut buffer[..wanted])?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl<S: Read + Seek> Seek for Part<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.end().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl<S: Read + Seek + Send + Sync> MediaSource for Part<S> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.end())
    }
}

/// Reads bytes at an offset until `buffer` is full or the source ends; returns their number.
///
/// # Errors
/// Those of the source.
pub fn read_at(source: &mut (impl Read + Seek), at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    source.seek(SeekFrom::Start(at))?;
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads exactly `N` bytes at an offset; returns `None` if the source ends before.
///
/// # Errors
/// Those of the source.
pub fn array_at<const N: usize>(
    source: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    Ok((read_at(source, at, &mut bytes)? == N).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn part_reads_header_then_range() {
        let mut part = Part::new(Cursor::new(b"0123456789"), b"ab".to_vec(), 3, 4);
        let mut all = Vec::new();
        part.read_to_end(&mut all).unwrap();
        assert_eq!((&all[..], part.byte_len()), (&b"ab3456"[..], Some(6)));
        for (at, expected) in
            [(0, &b"ab"[..]), (1, b"b"), (2, b"34"), (5, b"6"), (6, b""), (9, b"")]
        {
            part.seek(SeekFrom::Start(at)).unwrap();
            let mut two = [0; 2];
            let read = part.read(&mut two).unwrap();
            assert_eq!(&two[..read], expected, "{at}");
        }
        assert_eq!(part.seek(SeekFrom::End(-1)).unwrap(), 5);
        assert!(part.seek(SeekFrom::Current(-6)).is_err());
    }

    #[test]
    fn part_beyond_source_ends_with_it() {
        let mut all = Vec::new();
        Part::new(Cursor::new(b"012"), Vec::new(), 1, u64::MAX).read_to_end(&mut all).unwrap();
        assert_eq!(all, b"12");
    }
}
