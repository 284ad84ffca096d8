//! A Merkle tree whose nodes carry sums: its root proves both which receipts there are and
//! what they add up to.
//!
//! Leaf: SHA-256(0x00, receipt digest, amount). Inner node: SHA-256(0x01, left hash, left sum,
//! right hash, right sum), its sum being left plus right. Sums are u64 little-endian. A node
//! without a sibling moves up a level as it is.
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

use payments::ReceiptsCommitment;
use solana_sha256_hasher::hashv;

/// A node's hash and what the receipts below it add up to, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Commits to everything below.
    pub hash: [u8; 32],
    /// Base units.
    pub sum: u64,
}

/// The other half of a node on a receipt's way to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// The sibling itself.
    pub node: Node,
    /// Whether it stands left of the way.
    pub is_left: bool,
}

/// The sums exceed what u64 can hold: such receipts never settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receipts' amounts add up to more than 2^64 - 1")]
pub struct SumOverflow;

impl Node {
    /// The leaf of a receipt.
    pub fn leaf(receipt_digest: &[u8; 32], amount: u64) -> Self {
        let hash = hashv(&[&[0], receipt_digest, &amount.to_le_bytes()]).to_bytes();
        Self { hash, sum: amount }
    }

    /// The node above two others.
    ///
    /// # Errors
    /// [`SumOverflow`]; a sum that wrapped could hide receipts.
    pub fn above(left: &Self, right: &Self) -> Result<Self, SumOverflow> {
        let sum = left.sum.checked_add(right.sum).ok_or(SumOverflow)?;
        let (left_sum, right_sum) = (left.sum.to_le_bytes(), right.sum.to_le_bytes());
        let hash = hashv(&[&[1], &left.hash, &left_sum, &right.hash, &right_sum]).to_bytes();
        Ok(Self { hash, sum })
    }

    /// Where a leaf leads to by its siblings, lowest first.
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

/// The tree over a statement's receipts, every level kept.
pub struct Tree {
    levels: Vec<Vec<Node>>,
}

impl Tree {
    /// Builds the tree over leaves in the order of the receipts' positions; `None` without any.
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

    /// The root: hash and sum of everything.
    pub fn root(&self) -> Node {
        self.levels[self.levels.len() - 1][0] // there is a leaf, so there is a root
    }

    /// The siblings on the way from the leaf at `position` to the root, lowest first; `None`
    /// when there is no such leaf.
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
    fn every_leaf_of_trees_of_every_size_leads_to_the_root() {
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
    fn a_leaf_with_another_amount_leads_elsewhere() {
        let tree = Tree::new(leaves(5)).unwrap().unwrap();
        let siblings = tree.siblings(2).unwrap();
        let raised = Node::leaf(&[2; 32], 3).root(&siblings).unwrap();
        assert_ne!(raised, tree.root());
    }

    #[test]
    fn sums_do_not_wrap() {
        let leaves = vec![Node::leaf(&[0; 32], u64::MAX), Node::leaf(&[1; 32], 1)];
        assert_eq!(Tree::new(leaves).err(), Some(SumOverflow));
    }
}
