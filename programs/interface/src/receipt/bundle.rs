//! Bundles: one operator's signature for several receipts that are issued together.
//!
//! Up to [`BundlePath::MAX_RECEIPTS`] receipts are the leaves of a Merkle tree; the operator signs its
//! root, and each receipt carries its siblings. A receipt verifies without the others. A receipt
//! that is signed alone has no siblings.
//!
//! Leaves are the receipts' digests, nodes those of [`merkle`](crate::merkle). The signed bytes are
//! 48: [`BundlePath::DOMAIN`] and the root.

use std::fmt;

pub use crate::merkle::Sibling as BundleSibling;
#[cfg(any(test, feature = "ed25519"))]
use crate::merkle::Tree;
use crate::merkle::root;

/// Path from a receipt to the root of its bundle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BundlePath {
    /// One bit for each sibling, lowest first, set for a left child; then the siblings.
    bytes: [u8; 1 + 32 * Self::MAX_SIBLINGS],
    /// Number of siblings.
    length: u8,
}

/// Error returned when a path has more siblings than a bundle has levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many siblings: a receipt has at most {} in its bundle", BundlePath::MAX_SIBLINGS)]
pub struct TooManySiblings;

impl BundlePath {
    /// 0xFF, `motif-bundled`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-bundled\x00\x01";
    /// Maximum number of receipts under one signature.
    pub const MAX_RECEIPTS: usize = 1 << Self::MAX_SIBLINGS;
    /// Maximum number of siblings of a receipt.
    pub const MAX_SIBLINGS: usize = 4;

    /// Creates the path of these siblings, lowest first.
    ///
    /// # Errors
    /// [`TooManySiblings`].
    pub fn new(siblings: &[BundleSibling]) -> Result<Self, TooManySiblings> {
        let mut path = Self::default();
        siblings.iter().try_for_each(|sibling| path.push(*sibling))?;
        Ok(path)
    }

    /// Returns whether the receipt was signed alone.
    pub fn is_alone(&self) -> bool {
        self.length == 0
    }

    /// Returns the siblings, lowest first.
    pub fn siblings(&self) -> impl Iterator<Item = BundleSibling> {
        let (sides, siblings) = (self.bytes[0], self.bytes[1..].as_chunks::<32>().0);
        let all = (0_u8..self.length).zip(siblings);
        all.map(move |(level, hash)| BundleSibling {
            hash: *hash,
            is_left: sides >> level & 1 == 1,
        })
    }

    /// Returns the stored form: the sides in one byte, then the siblings; empty for a receipt that
    /// was signed alone.
    pub fn as_bytes(&self) -> &[u8] {
        let length = usize::from(self.length);
        if length == 0 { &[] } else { &self.bytes[..1 + 32 * length] }
    }

    /// Reads [`BundlePath::as_bytes`]; returns `None` for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut path = Self::default();
        path.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        path.length = (bytes.len() / 32) as u8; // at most `MAX_SIBLINGS`
        // Each set side bit has a sibling, and the bytes have no other reading.
        let is_path = path.as_bytes() == bytes && u32::from(path.bytes[0]) >> path.length == 0;
        is_path.then_some(path)
    }

    /// Returns the bytes that the operator signed for a receipt with this digest, unless it was
    /// signed alone.
    pub fn signed_bytes(&self, receipt_digest: &[u8; 32]) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&Self::DOMAIN);
        bytes[16..].copy_from_slice(&root(*receipt_digest, self.siblings()));
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

    /// Creates the paths of all receipts of a bundle, by their digests.
    ///
    /// # Errors
    /// [`TooManySiblings`] for more than [`BundlePath::MAX_RECEIPTS`].
    #[cfg(any(test, feature = "ed25519"))]
    pub(super) fn from_digests(digests: &[[u8; 32]]) -> Result<Vec<Self>, TooManySiblings> {
        let tree = Tree::new(digests.to_vec());
        let path = |position| {
            let mut path = Self::default();
            tree.siblings(position).try_for_each(|sibling| path.push(sibling))?;
            Ok(path)
        };
        (0..digests.len()).map(path).collect()
    }
}

impl Default for BundlePath {
    /// Creates the path of a receipt that is signed alone.
    fn default() -> Self {
        Self { bytes: [0; 1 + 32 * Self::MAX_SIBLINGS], length: 0 }
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
    fn receipts_of_a_bundle_share_signed_bytes() {
        for count in 1..=BundlePath::MAX_RECEIPTS as u8 {
            let digests = digests(count);
            let paths = BundlePath::from_digests(&digests).unwrap();
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
    fn other_receipt_or_sibling_changes_root() {
        let digests = digests(7);
        let paths = BundlePath::from_digests(&digests).unwrap();
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
    fn invalid_path_bytes_are_rejected() {
        let bytes = BundlePath::from_digests(&digests(4)).unwrap()[3].as_bytes().to_vec();
        assert_eq!(bytes.len(), 65);
        for wrong in [&bytes[..1], &bytes[..64], &[bytes.clone(), vec![0; 96]].concat()] {
            assert_eq!(BundlePath::from_bytes(wrong), None);
        }
        let more_sides = [&[bytes[0] | 4], &bytes[1..]].concat();
        assert_eq!(BundlePath::from_bytes(&more_sides), None, "a side without a sibling");
    }

    #[test]
    fn oversized_bundle_is_rejected() {
        let sibling = BundleSibling { hash: [1; 32], is_left: false };
        assert_eq!(BundlePath::new(&[sibling; 5]), Err(TooManySiblings));
        assert_eq!(BundlePath::from_digests(&digests(17)).map(drop), Err(TooManySiblings));
    }
}
