use std::{fmt, ops::Range};

/// What one synchronisation makes durable: records, numbered and sealed.
///
/// Bytes: [`MAGIC`] (8), number (8), length of the records (4), zeros (4), the seal (32), the
/// records, zeros up to a whole page. Integers are little-endian. Numbers count from 1 and never
/// begin anew, so a frame that is left from an earlier use of its place is known by its number.
///
/// The seal is BLAKE3 of number, length and records, under the store's own key: payers choose
/// some of what is in records, and must not be able to write there what looks like a frame.
#[derive(Debug)]
pub struct Frame {
    bytes: Vec<u8>,
}

/// A frame that is whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Read<'a> {
    /// Its number.
    pub number: u64,
    /// Its records.
    pub records: &'a [u8],
    /// How far it reaches, zeros included.
    pub length: usize,
}

/// Frames begin and end where pages do: none shares one with another that is on disk already.
pub const PAGE: usize = 4_096;

const MAGIC: [u8; 8] = *b"motif\x00j\x01";
const NUMBER: Range<usize> = 8..16;
const LENGTH: Range<usize> = 16..20;
const SEALED: Range<usize> = 24..56;
const HEADER: usize = 56;

/// What frames of one store are sealed with.
#[derive(Clone)]
pub struct Seal([u8; 32]);

impl Seal {
    /// With this key, which nobody else has.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
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
    /// Where the next record is written to.
    pub fn records(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Bytes it takes on disk.
    pub fn length(&self) -> usize {
        self.bytes.len().next_multiple_of(PAGE)
    }

    /// Whether there is no record in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER
    }

    /// Ends it; returns it as it goes to disk.
    pub fn seal(&mut self, number: u64, seal: &Seal) -> &[u8] {
        let records = self.bytes.len() - HEADER;
        self.bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
        self.bytes[NUMBER].copy_from_slice(&number.to_le_bytes());
        // The keeper ends a frame long before this overflows.
        let length = u32::try_from(records).unwrap_or(u32::MAX);
        self.bytes[LENGTH].copy_from_slice(&length.to_le_bytes());
        let sealed = seal.of(number, length, &self.bytes[HEADER..]);
        self.bytes[SEALED].copy_from_slice(sealed.as_bytes());
        self.bytes.resize(self.length(), 0);
        &self.bytes
    }

    /// Begins the next one, in the same memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEADER, 0);
    }
}

impl<'a> Read<'a> {
    /// The frame that `bytes` begin with, if there is a whole one.
    pub fn of(bytes: &'a [u8], seal: &Seal) -> Option<Self> {
        if bytes.get(..MAGIC.len())? != MAGIC {
            return None;
        }
        let number = u64::from_le_bytes(bytes.get(NUMBER)?.try_into().ok()?);
        let length = u32::from_le_bytes(bytes.get(LENGTH)?.try_into().ok()?);
        let end = HEADER.checked_add(usize::try_from(length).ok()?)?;
        let records = bytes.get(HEADER..end)?;
        let is_whole = seal.of(number, length, records) == *bytes.get(SEALED)?;
        is_whole.then_some(Self { number, records, length: end.next_multiple_of(PAGE) })
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
    fn a_frame_is_read_as_it_was_sealed() {
        for size in [1, PAGE - HEADER, PAGE - HEADER + 1, 3 * PAGE] {
            let records = vec![7; size];
            let bytes = sealed(9, &records);
            assert_eq!(bytes.len() % PAGE, 0);
            let length = bytes.len();
            assert_eq!(
                Read::of(&bytes, &seal()),
                Some(Read { number: 9, records: &records, length })
            );
        }
    }

    #[test]
    fn a_frame_of_which_any_bit_is_another_is_none() {
        let bytes = sealed(9, b"some records");
        let sealed_bytes = HEADER + b"some records".len();
        for place in (0..sealed_bytes).filter(|place| !(20..24).contains(place)) {
            let mut torn = bytes.clone();
            torn[place] ^= 1;
            assert_eq!(Read::of(&torn, &seal()), None, "byte {place}");
        }
        assert_eq!(Read::of(&bytes[..sealed_bytes - 1], &seal()), None, "cut off");
        assert_eq!(Read::of(&[], &seal()), None);
    }

    #[test]
    fn a_frame_of_another_store_is_none() {
        assert_eq!(Read::of(&sealed(9, b"some records"), &Seal::new([4; 32])), None);
    }

    #[test]
    fn memory_is_used_again_and_nothing_of_before_is_left_in_it() {
        let mut frame = Frame::default();
        frame.records().extend_from_slice(&[1; 2 * PAGE]);
        frame.seal(1, &seal());
        frame.clear();
        assert!(frame.is_empty());
        frame.records().push(2);
        assert_eq!(frame.seal(2, &seal()), sealed(2, &[2]));
    }
}
