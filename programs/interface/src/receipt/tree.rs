//! Merkle-sum tree of a statement's receipts: the root commits to the receipts and their sum.
//!
//! Leaf: SHA-256(0x00, receipt digest, amount). Inner node: SHA-256(0x01, left hash, left sum,
//! right hash, right sum), with the sum of both. Sums are u64 little-endian. A node without a
//! sibling moves up a level unchanged.
//!
//! ```
//! use motif_interface::receipt::tree::{Node, Tree};
//!
//! let leaves = vec![Node::leaf(&[1; 32], 1_000), Node::leaf(&[2; 32], 250)];
//! let tree = Tree::new(leaves.clone())?.expect("two leaves");
//! assert_eq!(tree.root().sum, 1_250);
//! let siblings = tree.siblings(1).expect("the second leaf");
//! assert_eq!(leaves[1].root(&siblings)?, tree.root());
//! # Ok::<(), motif_interface::receipt::tree::SumOverflow>(())
//! ```

use solana_sha256_hasher::hashv;

use crate::payments::ReceiptsCommitment;

/// Hash of a node, and the sum of the receipts below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Hash of everything below.
    pub hash: [u8; 32],
    /// Sum of the receipts below, base units.
    pub sum: u64,
}

/// A sibling of a node on the path from a leaf to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// Sibling node.
    pub node: Node,
    /// Whether the sibling is the left child.
    pub is_left: bool,
}

/// Error returned when sums exceed u64. Such receipts cannot settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sum overflow: the receipts' amounts exceed 2^64 - 1")]
pub struct SumOverflow;

impl Node {
    /// Creates the leaf of a receipt.
    pub fn leaf(receipt_digest: &[u8; 32], amount: u64) -> Self {
        let hash = hashv(&[&[0], receipt_digest, &amount.to_le_bytes()]).to_bytes();
        Self { hash, sum: amount }
    }

    /// Creates the parent of two nodes.
    ///
    /// # Errors
    /// [`SumOverflow`]; a wrapped sum could hide receipts.
    pub fn above(left: &Self, right: &Self) -> Result<Self, SumOverflow> {
        let sum = left.sum.checked_add(right.sum).ok_or(SumOverflow)?;
        let (left_sum, right_sum) = (left.sum.to_le_bytes(), right.sum.to_le_bytes());
        let hash = hashv(&[&[1], &left.hash, &left_sum, &right.hash, &right_sum]).to_bytes();
        Ok(Self { hash, sum })
    }

    /// Returns the root that a leaf and its siblings, lowest first, lead to.
    ///
    /// # Errors
    /// [`SumOverflow`].
    pub fn root(self, siblings: &[Sibling]) -> Result<Self, SumOverflow> {
        siblings.iter().try_fold(self, |node, sibling| {
            if sibling.is_left {
                Self::above(&sibling.node, &node)
            } else {
                Self::above(&node, &sibling.node)
            }
        })
    }
}

impl From<Node> for ReceiptsCommitment {
    fn from(root: Node) -> Self {
        Self { root: root.hash, sum: root.sum }
    }
}

/// Merkle-sum tree of a statement's receipts, with all its levels.
pub struct Tree {
    levels: Vec<Vec<Node>>,
}

impl Tree {
    /// Creates the tree of leaves in the order of the receipts' positions; `None` if there are none.
    ///
    /// # Errors
    /// [`SumOverflow`].
    pub fn new(leaves: Vec<Node>) -> Result<Option<Self>, SumOverflow> {
        if leaves.is_empty() {
            return Ok(None);
        }
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => Node::above(left, right),
                [alone, ..] => Ok(*alone),
                [] => unreachable!("chunks are never empty"),
            });
            let above = above.collect::<Result<Vec<_>, _>>()?;
            levels.push(above);
        }
        Ok(Some(Self { levels }))
    }

    /// Returns the root.
    pub fn root(&self) -> Node {
        self.levels[self.levels.len() - 1][0] // a tree has a leaf, and so a root
    }

    /// Returns the siblings on the path from the leaf at `position` to the root, lowest first;
    /// `None` if there is no such leaf.
    pub fn siblings(&self, position: usize) -> Option<Vec<Sibling>> {
        self.levels[0].get(position)?;
        let mut siblings = Vec::new();
        for (height, level) in self.levels.iter().enumerate() {
            let place = position >> height;
            if let Some(&node) = level.get(place ^ 1) {
                siblings.push(Sibling { node, is_left: place % 2 == 1 });
            }
        }
        Some(siblings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u64) -> Vec<Node> {
        (0..count).map(|number| Node::leaf(&[number as u8; 32], number)).collect()
    }

    #[test]
    fn every_leaf_leads_to_the_root() {
        for count in 1..=33 {
            let leaves = leaves(count);
            let tree = Tree::new(leaves.clone()).unwrap().unwrap();
            assert_eq!(tree.root().sum, (0..count).sum::<u64>());
            for (position, leaf) in leaves.iter().enumerate() {
                let siblings = tree.siblings(position).unwrap();
                assert_eq!(leaf.root(&siblings), Ok(tree.root()), "{position} of {count}");
            }
            assert_eq!(tree.siblings(leaves.len()), None);
        }
    }

    #[test]
    fn changed_amount_changes_root() {
        let tree = Tree::new(leaves(5)).unwrap().unwrap();
        let siblings = tree.siblings(2).unwrap();
        let raised = Node::leaf(&[2; 32], 3).root(&siblings).unwrap();
        assert_ne!(raised, tree.root());
    }

    #[test]
    fn overflowing_sum_is_rejected() {
        let leaves = vec![Node::leaf(&[0; 32], u64::MAX), Node::leaf(&[1; 32], 1)];
        assert_eq!(Tree::new(leaves).err(), Some(SumOverflow));
    }
}
