//! One signature for several receipts that are issued at the same moment.
//!
//! An operator who issues many receipts a second would spend much of it on signing each. So
//! receipts of up to [`BundlePath::MOST_RECEIPTS`] are signed together: they are the leaves of a
//! Merkle tree, the operator signs its root, and each receipt carries its siblings along. It
//! verifies by itself, without the others; a receipt that is signed alone has no siblings.
//!
//! Leaf: the receipt's digest, which is of bytes that begin with 0xFF. Inner node: SHA-256(0x01,
//! left, right). A node without a sibling moves up a level as it is. What is signed are 48 bytes:
//! [`BundlePath::DOMAIN`] and the root.

use std::fmt;

use payments::mmr::node;

/// The way from a receipt to the root of the bundle it was signed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BundlePath {
    /// Bit by bit, lowest first, whether a sibling stands left of the way; then the siblings.
    bytes: [u8; 1 + 32 * Self::MOST_SIBLINGS],
    /// Siblings.
    length: u8,
}

/// A node beside the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleSibling {
    /// Its hash.
    pub hash: [u8; 32],
    /// Whether it stands left of the way.
    pub is_left: bool,
}

/// More siblings than a bundle has levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a receipt has at most {} siblings in its bundle", BundlePath::MOST_SIBLINGS)]
pub struct TooManySiblings;

impl BundlePath {
    /// 0xFF, `motif-bundled`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-bundled\x00\x01";
    /// Receipts under one signature.
    pub const MOST_RECEIPTS: usize = 1 << Self::MOST_SIBLINGS;
    /// Levels of a bundle's tree.
    pub const MOST_SIBLINGS: usize = 4;

    /// The way past these siblings, lowest first.
    ///
    /// # Errors
    /// [`TooManySiblings`].
    pub fn new(siblings: &[BundleSibling]) -> Result<Self, TooManySiblings> {
        let mut path = Self::default();
        siblings.iter().try_for_each(|sibling| path.push(*sibling))?;
        Ok(path)
    }

    /// Whether the receipt was signed alone.
    pub fn is_alone(&self) -> bool {
        self.length == 0
    }

    /// The siblings, lowest first.
    pub fn siblings(&self) -> impl Iterator<Item = BundleSibling> {
        let (sides, siblings) = (self.bytes[0], self.bytes[1..].as_chunks::<32>().0);
        let all = (0_u8..self.length).zip(siblings);
        all.map(move |(level, hash)| BundleSibling {
            hash: *hash,
            is_left: sides >> level & 1 == 1,
        })
    }

    /// As a store keeps it: the sides in one byte, then the siblings; nothing for a receipt that
    /// was signed alone.
    pub fn as_bytes(&self) -> &[u8] {
        let length = usize::from(self.length);
        if length == 0 { &[] } else { &self.bytes[..1 + 32 * length] }
    }

    /// Reads [`BundlePath::as_bytes`]; `None` where it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut path = Self::default();
        path.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        path.length = (bytes.len() / 32) as u8; // at most as many as there is room for
        // No side is without a sibling, and none of this is anything else.
        let is_path = path.as_bytes() == bytes && u32::from(path.bytes[0]) >> path.length == 0;
        is_path.then_some(path)
    }

    /// What the operator has signed for a receipt of this digest, unless it was signed alone.
    pub fn signed_bytes(&self, receipt_digest: &[u8; 32]) -> [u8; 48] {
        let root = self.siblings().fold(*receipt_digest, |below, sibling| {
            if sibling.is_left { node(&sibling.hash, &below) } else { node(&below, &sibling.hash) }
        });
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&Self::DOMAIN);
        bytes[16..].copy_from_slice(&root);
        bytes
    }

    fn push(&mut self, sibling: BundleSibling) -> Result<(), TooManySiblings> {
        let siblings = self.bytes[1..].as_chunks_mut::<32>().0;
        let place = siblings.get_mut(usize::from(self.length)).ok_or(TooManySiblings)?;
        *place = sibling.hash;
        self.bytes[0] |= u8::from(sibling.is_left) << self.length;
        self.length += 1;
        Ok(())
    }

    /// The ways of all receipts with these digests to one root. At most
    /// [`BundlePath::MOST_RECEIPTS`].
    pub(super) fn of_all(digests: &[[u8; 32]]) -> Result<Vec<Self>, TooManySiblings> {
        let mut paths = vec![Self::default(); digests.len()];
        let mut level = digests.to_vec();
        for height in 0.. {
            if level.len() <= 1 {
                break;
            }
            for (position, path) in paths.iter_mut().enumerate() {
                let place = position >> height;
                if let Some(&hash) = level.get(place ^ 1) {
                    path.push(BundleSibling { hash, is_left: place % 2 == 1 })?;
                }
            }
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                alone => alone[0],
            });
            level = above.collect();
        }
        Ok(paths)
    }
}

impl Default for BundlePath {
    /// Of a receipt that was signed alone.
    fn default() -> Self {
        Self { bytes: [0; 1 + 32 * Self::MOST_SIBLINGS], length: 0 }
    }
}

impl fmt::Debug for BundlePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.siblings()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(count: u8) -> Vec<[u8; 32]> {
        (0..count).map(|number| [number; 32]).collect()
    }

    #[test]
    fn every_receipt_of_bundlees_of_every_size_leads_to_the_same_bytes() {
        for count in 1..=BundlePath::MOST_RECEIPTS as u8 {
            let digests = digests(count);
            let paths = BundlePath::of_all(&digests).unwrap();
            let signed = paths[0].signed_bytes(&digests[0]);
            for (path, digest) in paths.iter().zip(&digests) {
                assert_eq!(path.signed_bytes(digest), signed, "{count}");
                assert_eq!(path.is_alone(), count == 1);
                let again: Vec<_> = path.siblings().collect();
                assert_eq!(BundlePath::new(&again), Ok(*path));
                assert_eq!(BundlePath::from_bytes(path.as_bytes()), Some(*path));
            }
        }
    }

    #[test]
    fn another_receipt_or_another_sibling_leads_elsewhere() {
        let digests = digests(7);
        let paths = BundlePath::of_all(&digests).unwrap();
        let signed = paths[0].signed_bytes(&digests[0]);
        assert_ne!(paths[0].signed_bytes(&digests[1]), signed);
        let siblings: Vec<_> = paths[0].siblings().collect();
        for place in 0..siblings.len() {
            let mut changed = siblings.clone();
            changed[place].hash[31] ^= 1;
            assert_ne!(BundlePath::new(&changed).unwrap().signed_bytes(&digests[0]), signed);
            changed[place] = BundleSibling { is_left: true, ..siblings[place] };
            assert_ne!(BundlePath::new(&changed).unwrap().signed_bytes(&digests[0]), signed);
        }
        let shorter = BundlePath::new(&siblings[1..]).unwrap();
        assert_ne!(shorter.signed_bytes(&digests[0]), signed);
    }

    #[test]
    fn bytes_that_are_no_path_are_none() {
        let bytes = BundlePath::of_all(&digests(4)).unwrap()[3].as_bytes().to_vec();
        assert_eq!(bytes.len(), 65);
        for wrong in [&bytes[..1], &bytes[..64], &[bytes.clone(), vec![0; 96]].concat()] {
            assert_eq!(BundlePath::from_bytes(wrong), None);
        }
        let more_sides = [&[bytes[0] | 4], &bytes[1..]].concat();
        assert_eq!(BundlePath::from_bytes(&more_sides), None, "a side without a sibling");
    }

    #[test]
    fn no_bundle_is_larger_than_its_siblings_can_say() {
        let sibling = BundleSibling { hash: [1; 32], is_left: false };
        assert_eq!(BundlePath::new(&[sibling; 5]), Err(TooManySiblings));
        assert_eq!(BundlePath::of_all(&digests(17)).map(drop), Err(TooManySiblings));
    }
}
