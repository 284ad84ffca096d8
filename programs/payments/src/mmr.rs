//! A Merkle mountain range: a list that only grows, kept as the roots of at most
//! [`PEAKS`] perfect trees, one for each bit set in its length.
//!
//! A record stays provable by the same few hashes plus the ones of later merges, whatever is
//! appended after it. Inner node: SHA-256(0x01, left, right). Leaves are hashes of records that
//! start with 0xFF, so that no record can stand for an inner node.

use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

/// The most trees a range can have; it holds at most 2^24 - 1 records.
pub const PEAKS: usize = 24;

/// Roots of the range's trees; the one at position `n` has 2^n leaves if bit `n` of `length`
/// is set, and is all zeros otherwise.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct Mmr {
    pub length: u64,
    pub peaks: [[u8; 32]; PEAKS],
}

/// The range holds as many records as it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Mmr {
    /// Adds a record by its hash.
    pub fn append(&mut self, leaf: [u8; 32]) -> std::result::Result<(), Full> {
        let height = self.length.trailing_ones() as usize;
        if height >= PEAKS {
            return Err(Full);
        }
        let mut root = leaf;
        for peak in &mut self.peaks[..height] {
            root = node(peak, &root);
            *peak = [0; 32];
        }
        self.peaks[height] = root;
        self.length += 1;
        Ok(())
    }
}

/// The hash of an inner node.
pub fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    hashv(&[&[1], left, right]).to_bytes()
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    fn leaf(number: u64) -> [u8; 32] {
        hashv(&[&number.to_le_bytes()]).to_bytes()
    }

    #[test]
    fn five_records_are_a_tree_of_four_and_one_of_one() {
        let mut range = Mmr::zeroed();
        for number in 0..5 {
            assert_eq!(range.append(leaf(number)), Ok(()));
        }
        let pairs = [node(&leaf(0), &leaf(1)), node(&leaf(2), &leaf(3))];
        assert_eq!(range.peaks[2], node(&pairs[0], &pairs[1]));
        assert_eq!((range.peaks[1], range.peaks[0]), ([0; 32], leaf(4)));
    }

    #[test]
    fn a_full_range_takes_no_more() {
        let mut range = Mmr { length: (1 << PEAKS) - 1, ..Mmr::zeroed() };
        assert_eq!(range.append(leaf(0)), Err(Full));
        assert_eq!(range.length, (1 << PEAKS) - 1);
    }
}
