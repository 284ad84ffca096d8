use std::{fmt, ops::Range};

/// Records that one fsync makes durable, numbered and sealed.
///
/// Layout: [`MAGIC`] (8 bytes), number (8), length of the records (4), zeros (4), the seal (32), the
/// records, zeros up to a whole page. Integers are little-endian. Numbers count from 1 and are never
/// reused, so that a frame left over from an earlier use of the file is recognized by its number.
///
/// The seal is BLAKE3 of number, length and records, keyed by the store's own key: clients choose
/// parts of the records and must not be able to forge a frame in them.
#[derive(Debug)]
pub struct Frame {
    bytes: Vec<u8>,
}

/// Valid frame in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadFrame<'a> {
    /// Number of the frame.
    pub number: u64,
    /// Its records.
    pub records: &'a [u8],
    /// Length in the file, padding included.
    pub length: usize,
}

/// Alignment of frames in bytes: writing a frame never writes a page of another frame again.
pub const PAGE: usize = 4_096;

const MAGIC: [u8; 8] = *b"motif\x00j\x01";
const NUMBER: Range<usize> = 8..16;
const LENGTH: Range<usize> = 16..20;
const SEALED: Range<usize> = 24..56;
const HEADER: usize = 56;

/// Key of the seals of one store.
#[derive(Clone)]
pub struct Seal([u8; 32]);

impl Seal {
    /// Creates a seal of a secret key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Returns the id of the journal whose frames it seals. It reveals nothing of the key.
    pub fn journal_id(&self) -> [u8; 32] {
        *blake3::keyed_hash(&self.0, b"motif journal id").as_bytes()
    }

    fn of(&self, number: u64, length: u32, records: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&number.to_le_bytes()).update(&length.to_le_bytes()).update(records);
        hasher.finalize()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seal")
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self { bytes: vec![0; HEADER] }
    }
}

impl Frame {
    /// Returns the buffer to append records to.
    pub fn records(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Returns its length in the file.
    pub fn length(&self) -> usize {
        self.bytes.len().next_multiple_of(PAGE)
    }

    /// Returns whether it has no records.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER
    }

    /// Seals the frame and returns its bytes.
    pub fn seal(&mut self, number: u64, seal: &Seal) -> &[u8] {
        let records = self.bytes.len() - HEADER;
        self.bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
        self.bytes[NUMBER].copy_from_slice(&number.to_le_bytes());
        // The journal writer ends a frame at 1 MiB.
        let length = u32::try_from(records).unwrap_or(u32::MAX);
        self.bytes[LENGTH].copy_from_slice(&length.to_le_bytes());
        let sealed = seal.of(number, length, &self.bytes[HEADER..]);
        self.bytes[SEALED].copy_from_slice(sealed.as_bytes());
        self.bytes.resize(self.length(), 0);
        &self.bytes
    }

    /// Clears the frame. Keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEADER, 0);
    }
}

impl<'a> ReadFrame<'a> {
    /// Returns the number in the header at the start of `bytes`, valid or not. Returns `None` if no
    /// header starts there.
    pub fn claimed_number(bytes: &[u8]) -> Option<u64> {
        let is_header = bytes.starts_with(&MAGIC);
        let number = bytes.get(NUMBER).filter(|_| is_header)?;
        Some(u64::from_le_bytes(number.try_into().ok()?))
    }

    /// Parses the frame at the start of `bytes`. Returns `None` if no valid frame starts there.
    pub fn parse(bytes: &'a [u8], seal: &Seal) -> Option<Self> {
        if bytes.get(..MAGIC.len())? != MAGIC {
            return None;
        }
        let number = u64::from_le_bytes(bytes.get(NUMBER)?.try_into().ok()?);
        let length = u32::from_le_bytes(bytes.get(LENGTH)?.try_into().ok()?);
        let end = HEADER.checked_add(usize::try_from(length).ok()?)?;
        let records = bytes.get(HEADER..end)?;
        let is_valid = seal.of(number, length, records) == *bytes.get(SEALED)?;
        is_valid.then_some(Self { number, records, length: end.next_multiple_of(PAGE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::new([3; 32])
    }

    fn sealed(number: u64, records: &[u8]) -> Vec<u8> {
        let mut frame = Frame::default();
        frame.records().extend_from_slice(records);
        frame.seal(number, &seal()).to_vec()
    }

    #[test]
    fn sealed_frame_round_trips() {
        for size in [1, PAGE - HEADER, PAGE - HEADER + 1, 3 * PAGE] {
            let records = vec![7; size];
            let bytes = sealed(9, &records);
            assert_eq!(bytes.len() % PAGE, 0);
            let length = bytes.len();
            assert_eq!(
                ReadFrame::parse(&bytes, &seal()),
                Some(ReadFrame { number: 9, records: &records, length })
            );
        }
    }

    #[test]
    fn frame_with_flipped_bit_is_rejected() {
        let bytes = sealed(9, b"some records");
        let sealed_bytes = HEADER + b"some records".len();
        for place in (0..sealed_bytes).filter(|place| !(20..24).contains(place)) {
            let mut torn = bytes.clone();
            torn[place] ^= 1;
            assert_eq!(ReadFrame::parse(&torn, &seal()), None, "byte {place}");
        }
        assert_eq!(ReadFrame::parse(&bytes[..sealed_bytes - 1], &seal()), None, "truncated");
        assert_eq!(ReadFrame::parse(&[], &seal()), None);
    }

    #[test]
    fn frame_of_another_store_is_rejected() {
        assert_eq!(ReadFrame::parse(&sealed(9, b"some records"), &Seal::new([4; 32])), None);
    }

    #[test]
    fn cleared_frame_keeps_no_bytes() {
        let mut frame = Frame::default();
        frame.records().extend_from_slice(&[1; 2 * PAGE]);
        frame.seal(1, &seal());
        frame.clear();
        assert!(frame.is_empty());
        frame.records().push(2);
        assert_eq!(frame.seal(2, &seal()), sealed(2, &[2]));
    }
}
