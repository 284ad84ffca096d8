//! Merkle trees over SHA-256.
//!
//! Inner node: SHA-256(0x01, left, right). A node without a sibling moves up a level unchanged.
//! Leaves are hashes of data that does not begin with 0x01, so a leaf cannot stand for an inner
//! node: [`leaf`] prefixes 0x00, vouchers, receipts and records begin with 0xFF.
//!
//! ```
//! use motif_interface::merkle::{Tree, leaf, root};
//!
//! let leaves: Vec<_> = [[1; 32], [2; 32], [3; 32]].iter().map(leaf).collect();
//! let tree = Tree::new(leaves.clone());
//! assert_eq!(Some(root(leaves[2], tree.siblings(2))), tree.root());
//! ```

use solana_sha256_hasher::hashv;

/// A sibling of a node on the path from a leaf to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// Hash of the sibling.
    pub hash: [u8; 32],
    /// Whether the sibling is the left child.
    pub is_left: bool,
}

/// Returns the leaf of a digest.
pub fn leaf(digest: &[u8; 32]) -> [u8; 32] {
    hashv(&[&[0], digest]).to_bytes()
}

/// Returns the hash of an inner node.
pub fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    hashv(&[&[1], left, right]).to_bytes()
}

/// Returns the root that a leaf and its siblings, lowest first, lead to.
pub fn root(leaf: [u8; 32], siblings: impl IntoIterator<Item = Sibling>) -> [u8; 32] {
    siblings.into_iter().fold(
        leaf,
        |below, Sibling { hash, is_left }| {
            if is_left { node(&hash, &below) } else { node(&below, &hash) }
        },
    )
}

/// A Merkle tree with all its levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// From the leaves to the root.
    levels: Vec<Vec<[u8; 32]>>,
}

impl Tree {
    /// Creates the tree of these leaves.
    pub fn new(leaves: Vec<[u8; 32]>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let (pairs, single) = level.as_chunks::<2>();
            let mut above: Vec<_> = pairs.iter().map(|[left, right]| node(left, right)).collect();
            above.extend_from_slice(single);
            levels.push(above);
        }
        Self { levels }
    }

    /// Returns the root, or `None` if the tree has no leaves.
    pub fn root(&self) -> Option<[u8; 32]> {
        self.levels.last()?.first().copied()
    }

    /// Returns the siblings on the path from the leaf at `position` to the root, lowest first.
    pub fn siblings(&self, position: usize) -> impl Iterator<Item = Sibling> {
        self.levels.iter().enumerate().filter_map(move |(height, level)| {
            let place = position >> height;
            let hash = *level.get(place ^ 1)?;
            Some(Sibling { hash, is_left: place % 2 == 1 })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_leads_to_the_root() {
        for count in 1..=33_u8 {
            let leaves: Vec<_> = (0..count).map(|number| [number; 32]).collect();
            let tree = Tree::new(leaves.clone());
            for (position, leaf) in leaves.iter().enumerate() {
                let reached = root(*leaf, tree.siblings(position));
                assert_eq!(Some(reached), tree.root(), "{position} of {count}");
            }
        }
        assert_eq!(Tree::new(Vec::new()).root(), None);
    }

    #[test]
    fn odd_node_moves_up_unchanged() {
        let pair = node(&[0; 32], &[1; 32]);
        let tree = Tree::new(vec![[0; 32], [1; 32], [2; 32]]);
        assert_eq!(tree.root(), Some(node(&pair, &[2; 32])));
    }
}
