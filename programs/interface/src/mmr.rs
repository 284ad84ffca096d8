//! Merkle mountain range (MMR): an append-only list, kept as the roots of at most [`PEAKS`]
//! perfect Merkle trees, one for each bit set in its length.
//!
//! A record stays provable by its siblings: later appends only add some. Leaves are hashes of
//! records that begin with 0xFF; inner nodes are those of [`merkle`](crate::merkle).

use bytemuck::{Pod, Zeroable};

use crate::merkle::{Sibling, Tree, node, root};

/// Maximum number of trees; a range has at most 2^24 - 1 leaves.
pub const PEAKS: usize = 24;

/// Number of leaves and roots of the trees. The root at position `n` has 2^n leaves if bit `n` of
/// `length` is set, and is all zeros otherwise.
#[cfg_attr(feature = "idl-build", anchor_lang::zero_copy)]
#[cfg_attr(not(feature = "idl-build"), derive(Clone, Copy, Pod, Zeroable), repr(C))]
#[derive(Debug, PartialEq, Eq)]
pub struct Mmr {
    /// Number of leaves.
    pub length: u64,
    /// Roots of the trees.
    pub peaks: [[u8; 32]; PEAKS],
}

/// Error returned when a range has the maximum number of leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Merkle mountain range is full")]
pub struct Full;

impl Mmr {
    /// Appends a leaf.
    ///
    /// # Errors
    /// [`Full`].
    pub fn append(&mut self, leaf: [u8; 32]) -> Result<(), Full> {
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

    /// Returns whether `siblings`, lowest first, prove that `leaf` has this number.
    ///
    /// Trees are aligned: the bits of the number give the side of each sibling, and the count of
    /// siblings gives the peak.
    pub fn contains(&self, number: u64, leaf: [u8; 32], siblings: &[[u8; 32]]) -> bool {
        let height = siblings.len();
        let has_peak = height < PEAKS && self.length >> height & 1 == 1;
        if number >= self.length || !has_peak {
            return false;
        }
        // The tree of this height starts where all larger ones end.
        let start = self.length >> (height + 1) << (height + 1);
        let in_tree = number >= start && number - start < 1 << height;
        let sibling = |(level, hash): (usize, &[u8; 32])| Sibling {
            hash: *hash,
            is_left: number >> level & 1 == 1,
        };
        let reached = root(leaf, siblings.iter().enumerate().map(sibling));
        in_tree && reached == self.peaks[height]
    }
}

/// Returns the siblings of the leaf with this number, lowest first, among all leaves of a range;
/// `None` if there is no such leaf.
pub fn siblings(leaves: &[[u8; 32]], number: usize) -> Option<Vec<[u8; 32]>> {
    leaves.get(number)?;
    // Trees are in descending order of size: find the one with this leaf.
    let mut start = 0;
    for height in (0..PEAKS).rev().filter(|height| leaves.len() >> height & 1 == 1) {
        let size = 1 << height;
        if number < start + size {
            let tree = Tree::new(leaves[start..start + size].to_vec());
            return Some(tree.siblings(number - start).map(|sibling| sibling.hash).collect());
        }
        start += size;
    }
    None
}

#[cfg(test)]
mod tests {
    use solana_sha256_hasher::hashv;

    use super::*;

    fn leaf(number: u64) -> [u8; 32] {
        hashv(&[&number.to_le_bytes()]).to_bytes()
    }

    #[test]
    fn five_leaves_have_two_peaks() {
        let mut range = Mmr::zeroed();
        for number in 0..5 {
            assert_eq!(range.append(leaf(number)), Ok(()));
        }
        let pairs = [node(&leaf(0), &leaf(1)), node(&leaf(2), &leaf(3))];
        assert_eq!(range.peaks[2], node(&pairs[0], &pairs[1]));
        assert_eq!((range.peaks[1], range.peaks[0]), ([0; 32], leaf(4)));
    }

    #[test]
    fn full_range_rejects_a_leaf() {
        let mut range = Mmr { length: (1 << PEAKS) - 1, ..Mmr::zeroed() };
        assert_eq!(range.append(leaf(0)), Err(Full));
        assert_eq!(range.length, (1 << PEAKS) - 1);
    }

    #[test]
    fn siblings_prove_only_their_leaf() {
        for length in 1..=17 {
            let mut range = Mmr::zeroed();
            let leaves: Vec<_> = (0..length).map(leaf).collect();
            leaves.iter().for_each(|leaf| range.append(*leaf).unwrap());
            for number in 0..length {
                let siblings = siblings(&leaves, number as usize).unwrap();
                assert!(range.contains(number, leaf(number), &siblings), "{number} of {length}");
                assert!(!range.contains(number, leaf(99), &siblings));
                assert!(!range.contains(number + 1, leaf(number), &siblings));
            }
            assert_eq!(siblings(&leaves, length as usize), None);
        }
    }
}
