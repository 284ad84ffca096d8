//! Records of a payer's state file.
//!
//! A file is a sequence of frames, each of: length of the rest (4 bytes), the first 8 bytes of the
//! SHA-256 of the rest, and the rest, which is a kind (1), the length of its header (4), the header as
//! JSON, and a body. Integers are little-endian. The first frame is a snapshot. What a killed process
//! wrote in part is dropped.

use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;

use crate::{
    error::{InvalidJournal, parse},
    state::{SavedBatch, SavedState},
};

/// Change of a payer's state.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// The whole state.
    Snapshot(Box<SavedState>),
    /// A batch is signed and about to be sent. Its request is the frame's body.
    Signed(SavedBatch),
    /// The gateway accepted the batch. Its answer is the frame's body.
    Answered { head: Answered, body: Vec<u8> },
    /// The gateway refused the batch.
    Refused(Refused),
    /// Receipts were exported.
    Forgotten(Forgotten),
}

/// Time of an answer, and the amounts charged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// Unix seconds.
    pub at: i64,
    /// Amounts by generation, base units, fees included.
    pub charges: Vec<u64>,
}

/// Refusal of a batch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// Whether the open statement was closed.
    pub is_cut: bool,
}

/// Receipts that were exported.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Forgotten {
    /// Number of the last one.
    pub through: u64,
}

const HEAD_BYTES: usize = 12;

impl Record {
    /// Returns the record as a frame.
    pub fn to_frame(&self) -> Vec<u8> {
        let (kind, head, body) = match self {
            Self::Snapshot(state) => (0_u8, json(state), &[][..]),
            Self::Signed(batch) => (1, json(batch), &batch.body[..]),
            Self::Answered { head, body } => (2, json(head), &body[..]),
            Self::Refused(refused) => (3, json(refused), &[][..]),
            Self::Forgotten(forgotten) => (4, json(forgotten), &[][..]),
        };
        let length = 1 + 4 + head.len() + body.len();
        let mut frame = Vec::with_capacity(HEAD_BYTES + length);
        frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend_from_slice(&[0; 8]);
        frame.push(kind);
        frame.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend_from_slice(&head);
        frame.extend_from_slice(body);
        let check = hash(&frame[HEAD_BYTES..]).to_bytes();
        frame[4..HEAD_BYTES].copy_from_slice(&check[..8]);
        frame
    }

    fn from_frame(rest: &[u8]) -> Result<Self, InvalidJournal> {
        let malformed = || InvalidJournal::Malformed("it is too short".to_owned());
        let (kind, rest) = rest.split_first().ok_or_else(malformed)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (head, body) = rest.split_at_checked(length).ok_or_else(malformed)?;
        Ok(match kind {
            0 => Self::Snapshot(Box::new(SavedState::read(head)?)),
            1 => Self::Signed(SavedBatch { body: body.to_vec(), ..parse(head)? }),
            2 => Self::Answered { head: parse(head)?, body: body.to_vec() },
            3 => Self::Refused(parse(head)?),
            4 => Self::Forgotten(parse(head)?),
            kind => return Err(InvalidJournal::Malformed(format!("its kind is {kind}"))),
        })
    }
}

/// Splits a file into its records, without the rest that was written in part.
///
/// # Errors
/// [`InvalidJournal`] if a whole record cannot be read.
pub(crate) fn records(mut file: &[u8]) -> Result<Vec<Record>, InvalidJournal> {
    let mut all = Vec::new();
    while let Some((record, is_whole, after)) = split(file) {
        if !is_whole {
            // What follows a record was written after it was durable.
            let is_followed = split(after).is_some_and(|(_, is_whole, _)| is_whole);
            return if is_followed { Err(InvalidJournal::Damaged) } else { Ok(all) };
        }
        all.push(Record::from_frame(record)?);
        file = after;
    }
    Ok(all)
}

/// Splits off the first frame, and tells whether its digest is right.
fn split(file: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let (head, rest) = file.split_first_chunk::<HEAD_BYTES>()?;
    let [a, b, c, d, check @ ..] = *head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let (record, after) = rest.split_at_checked(length)?;
    Some((record, hash(record).to_bytes()[..8] == check, after))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // These are structures of texts and numbers: writing them does not fail.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_record_is_dropped() {
        let frames: Vec<_> =
            (0..3).map(|through| Record::Forgotten(Forgotten { through }).to_frame()).collect();
        let whole = frames.concat();
        for length in 0..=whole.len() {
            let read = records(&whole[..length]).unwrap();
            assert_eq!(read.len(), length / frames[0].len(), "{length}");
        }
    }

    #[test]
    fn flipped_bit_is_detected() {
        let frames: Vec<_> =
            (0..3).map(|through| Record::Forgotten(Forgotten { through }).to_frame()).collect();
        let length = frames[0].len();
        // Beyond the length of the frame, whose end is unknown without it.
        for bit in 32..length * 8 {
            let mut bytes = frames.concat();
            bytes[2 * length + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(records(&bytes).unwrap().len(), 2, "bit {bit} of the last record");
            let mut bytes = frames.concat();
            bytes[length + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(records(&bytes).err(), Some(InvalidJournal::Damaged), "bit {bit}");
        }
    }
}
