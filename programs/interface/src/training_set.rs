//! Training set of a style model: one Merkle root over the content digests of all its members.
//!
//! The digests are sorted and unique, so the root does not depend on the order of files. Leaves
//! and nodes are those of [`merkle`](crate::merkle). The root of an empty set is zeros.
//!
//! ```
//! use motif_interface::training_set::{TrainingSet, contains};
//!
//! let set = TrainingSet::new([[2; 32], [1; 32], [3; 32]]);
//! let siblings = set.siblings(&[3; 32]).expect("a member");
//! assert!(contains(&set.root(), &[3; 32], &siblings));
//! assert_eq!(set.siblings(&[4; 32]), None);
//! ```

use std::collections::BTreeSet;

pub use crate::merkle::Sibling;
use crate::merkle::{Tree, leaf, root};

/// Content digests of everything that a model was trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingSet(Vec<[u8; 32]>);

impl TrainingSet {
    /// Creates the set of these content digests.
    pub fn new(digests: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(digests.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the Merkle root.
    pub fn root(&self) -> [u8; 32] {
        self.tree().root().unwrap_or_default()
    }

    /// Returns the siblings that prove a member, lowest first; `None` if `digest` is no member.
    pub fn siblings(&self, digest: &[u8; 32]) -> Option<Vec<Sibling>> {
        let position = self.0.binary_search(digest).ok()?;
        Some(self.tree().siblings(position).collect())
    }

    fn tree(&self) -> Tree {
        Tree::new(self.0.iter().map(leaf).collect())
    }
}

/// Returns whether `siblings` prove that the set with this root contains a content digest.
pub fn contains(set_root: &[u8; 32], digest: &[u8; 32], siblings: &[Sibling]) -> bool {
    root(leaf(digest), siblings.iter().copied()) == *set_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::node;

    fn digests(count: u8) -> Vec<[u8; 32]> {
        (0..count).map(|number| [number; 32]).collect()
    }

    #[test]
    fn root_is_independent_of_order() {
        let mut reversed = digests(5);
        reversed.reverse();
        reversed.push([2; 32]);
        assert_eq!(TrainingSet::new(reversed), TrainingSet::new(digests(5)));
        assert_eq!(TrainingSet::new([]).root(), [0; 32]);
        let pair = node(&leaf(&[0; 32]), &leaf(&[1; 32]));
        assert_eq!(TrainingSet::new(digests(2)).root(), pair);
        assert_eq!(TrainingSet::new(digests(3)).root(), node(&pair, &leaf(&[2; 32])));
    }

    #[test]
    fn only_members_can_be_proved() {
        for count in 1..=17 {
            let set = TrainingSet::new(digests(count));
            let root = set.root();
            for digest in digests(count) {
                let siblings = set.siblings(&digest).unwrap();
                assert!(contains(&root, &digest, &siblings), "{digest:?} of {count}");
                assert!(!contains(&root, &[99; 32], &siblings));
            }
            assert_eq!(set.siblings(&[99; 32]), None);
        }
    }

    #[test]
    fn inner_node_is_not_a_member() {
        let set = TrainingSet::new(digests(4));
        let [first, second, ..] = digests(4)[..] else { unreachable!() };
        let node = node(&leaf(&first), &leaf(&second));
        let siblings = set.siblings(&first).unwrap();
        assert!(!contains(&set.root(), &node, &siblings[1..]));
    }
}
