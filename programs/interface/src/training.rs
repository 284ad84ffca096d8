//! What a style model was trained on: one Merkle root over the content digests of everything.
//!
//! The digests stand in ascending order, each once, so the root does not depend on how files
//! were listed. Leaf: SHA-256(0x00, content digest). Inner node: SHA-256(0x01, left, right). A
//! node without a sibling moves up a level as it is. Nothing at all has a root of zeros.
//!
//! ```
//! use motif_interface::training::TrainingSet;
//!
//! let set = TrainingSet::new([[2; 32], [1; 32], [3; 32]]);
//! let siblings = set.siblings(&[3; 32]).expect("it was trained on this");
//! assert!(motif_interface::training::contains(&set.root(), &[3; 32], &siblings));
//! assert_eq!(set.siblings(&[4; 32]), None);
//! ```

use std::collections::BTreeSet;

use solana_sha256_hasher::hashv;

/// Everything that a model was trained on, by content digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingSet(Vec<[u8; 32]>);

/// The other half of a node on a digest's way to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// The sibling itself.
    pub hash: [u8; 32],
    /// Whether it stands left of the way.
    pub is_left: bool,
}

impl TrainingSet {
    /// The set of these content digests.
    pub fn new(digests: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(digests.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// How many different contents there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What commits to all of them.
    pub fn root(&self) -> [u8; 32] {
        let mut level = self.leaves();
        while level.len() > 1 {
            level = above(&level);
        }
        level.first().copied().unwrap_or_default()
    }

    /// What proves that a content is in the set, lowest first; `None` when it is not.
    pub fn siblings(&self, digest: &[u8; 32]) -> Option<Vec<Sibling>> {
        let mut place = self.0.binary_search(digest).ok()?;
        let mut siblings = Vec::new();
        let mut level = self.leaves();
        while level.len() > 1 {
            let is_left = place % 2 == 1;
            if let Some(hash) = level.get(place ^ 1) {
                siblings.push(Sibling { hash: *hash, is_left });
            }
            place /= 2;
            level = above(&level);
        }
        Some(siblings)
    }

    fn leaves(&self) -> Vec<[u8; 32]> {
        self.0.iter().map(leaf).collect()
    }
}

/// Whether the siblings lead from a content digest to `root`.
pub fn contains(root: &[u8; 32], digest: &[u8; 32], siblings: &[Sibling]) -> bool {
    let reached = siblings.iter().fold(leaf(digest), |node, sibling| {
        if sibling.is_left { inner(&sibling.hash, &node) } else { inner(&node, &sibling.hash) }
    });
    reached == *root
}

fn leaf(digest: &[u8; 32]) -> [u8; 32] {
    hashv(&[&[0], digest]).to_bytes()
}

fn inner(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    hashv(&[&[1], left, right]).to_bytes()
}

fn above(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    let pair = |pair: &[[u8; 32]]| match pair {
        [left, right] => inner(left, right),
        single => single.first().copied().unwrap_or_default(), // chunks are never empty
    };
    level.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(count: u8) -> Vec<[u8; 32]> {
        (0..count).map(|number| [number; 32]).collect()
    }

    #[test]
    fn a_root_follows_from_what_is_in_the_set_and_not_from_its_order() {
        let mut reversed = digests(5);
        reversed.reverse();
        reversed.push([2; 32]);
        assert_eq!(TrainingSet::new(reversed), TrainingSet::new(digests(5)));
        assert_eq!(TrainingSet::new([]).root(), [0; 32]);
        let pair = inner(&leaf(&[0; 32]), &leaf(&[1; 32]));
        assert_eq!(TrainingSet::new(digests(2)).root(), pair);
        assert_eq!(TrainingSet::new(digests(3)).root(), inner(&pair, &leaf(&[2; 32])));
    }

    #[test]
    fn every_member_of_every_set_is_proved_and_nothing_else() {
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
    fn a_node_is_no_member() {
        let set = TrainingSet::new(digests(4));
        let [first, second, ..] = digests(4)[..] else { unreachable!() };
        let node = inner(&leaf(&first), &leaf(&second));
        let siblings = set.siblings(&first).unwrap();
        assert!(!contains(&set.root(), &node, &siblings[1..]));
    }
}
