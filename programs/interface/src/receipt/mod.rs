//! Receipts: the operator's signed record of a paid generation, and its proof against the chain.
//!
//! The operator signs a receipt when it serves the generation, alone or in a [`bundle`]. When the
//! statement settles, the operator commits to all its receipts by the root of a Merkle-sum
//! [`tree`]; the program checks that the sum equals the settled prices. The channel keeps every
//! settled statement in a Merkle mountain range. A [`proof`] contains the path from a receipt to
//! that range.

pub mod bundle;
pub mod proof;
pub mod tree;
#[cfg(feature = "ed25519")]
mod unsigned_bundle;

use bundle::BundlePath;
#[cfg(feature = "ed25519")]
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

#[cfg(feature = "ed25519")]
use crate::payments::ReceiptKeys;
#[cfg(feature = "ed25519")]
pub use unsigned_bundle::UnsignedBundle;

/// Record of one paid generation.
///
/// Bytes, 198: domain (16), channel (32), opened slot (8), statement (8), position (4),
/// license (2), units (4), terms number (4), amount (8), cumulative (8), work (32), request
/// digest (32), output digest (32), issued at (8). Integers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Channel that paid.
    pub channel: Pubkey,
    /// Slot in which the channel was opened.
    pub opened_slot: u64,
    /// Number of the statement with this generation.
    pub statement: u64,
    /// Position among the statement's receipts, from 0.
    pub position: u32,
    /// Index of the license on the channel.
    pub license: u16,
    /// Units used, free ones included.
    pub units: u32,
    /// Number of the licensed terms.
    pub terms_number: u32,
    /// Price of this generation, base units, without the operator's fee.
    pub amount: u64,
    /// Cumulative total of the voucher with this generation, base units.
    pub cumulative: u64,
    /// Licensed work.
    pub work: Pubkey,
    /// SHA-256 of the request, as the payer stated it.
    pub request_digest: [u8; 32],
    /// SHA-256 of the output, as the payer stated it.
    pub output_digest: [u8; 32],
    /// Time of issue by the gateway's clock, unix seconds.
    pub issued_at: i64,
}

impl Receipt {
    /// 0xFF, `motif-receipt`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-receipt\x00\x01";
    /// Bytes of a receipt.
    pub const SIZE: usize = 198;

    /// Returns the bytes that the operator signs.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let fields: [&[u8]; 14] = [
            &Self::DOMAIN,
            self.channel.as_ref(),
            &self.opened_slot.to_le_bytes(),
            &self.statement.to_le_bytes(),
            &self.position.to_le_bytes(),
            &self.license.to_le_bytes(),
            &self.units.to_le_bytes(),
            &self.terms_number.to_le_bytes(),
            &self.amount.to_le_bytes(),
            &self.cumulative.to_le_bytes(),
            self.work.as_ref(),
            &self.request_digest,
            &self.output_digest,
            &self.issued_at.to_le_bytes(),
        ];
        let mut bytes = [0; Self::SIZE];
        let mut rest = &mut bytes[..];
        for field in fields {
            let (place, after) = rest.split_at_mut(field.len());
            place.copy_from_slice(field);
            rest = after;
        }
        bytes
    }

    /// Returns the SHA-256 of the bytes, which identifies the receipt.
    pub fn digest(&self) -> [u8; 32] {
        hash(&self.to_bytes()).to_bytes()
    }
}

/// A receipt with the operator's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    /// Signed receipt.
    pub receipt: Receipt,
    /// Operator's Ed25519 signature of [`Receipt::to_bytes`] if the receipt was signed alone, of
    /// [`BundlePath::signed_bytes`] otherwise.
    pub signature: [u8; 64],
    /// Path to the signed root.
    pub bundle: BundlePath,
}

impl SignedReceipt {
    /// Signs a receipt alone.
    #[cfg(feature = "ed25519")]
    pub fn sign(receipt: Receipt, operator: &SigningKey) -> Self {
        let signature = operator.sign(&receipt.to_bytes()).to_bytes();
        Self { receipt, signature, bundle: BundlePath::default() }
    }

    /// Creates a receipt without a signature, to be signed in a bundle before it is issued.
    pub fn unsigned(receipt: Receipt) -> Self {
        Self { receipt, signature: [0; 64], bundle: BundlePath::default() }
    }

    /// Signs receipts in order, up to [`BundlePath::MAX_RECEIPTS`] with one signature. A single
    /// remaining receipt is signed alone.
    #[cfg(feature = "ed25519")]
    pub fn sign_together(receipts: &[Receipt], operator: &SigningKey) -> Vec<Self> {
        let sign = |bundle: UnsignedBundle| {
            let signature = operator.sign(bundle.message()).to_bytes();
            bundle.with_signature(signature)
        };
        UnsignedBundle::from_receipts(receipts).into_iter().flat_map(sign).collect()
    }

    /// Returns whether the operator's receipt key of the time of issue signed the receipt.
    #[cfg(feature = "ed25519")]
    pub fn verifies_with(&self, keys: &ReceiptKeys) -> bool {
        keys.at(self.receipt.issued_at).is_some_and(|key| self.verifies(key))
    }

    /// Returns whether the signature of the receipt key `key` is valid.
    #[cfg(feature = "ed25519")]
    pub fn verifies(&self, key: &Pubkey) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(key.as_array()) else { return false };
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        let verified = if self.bundle.is_alone() {
            key.verify_strict(&self.receipt.to_bytes(), &signature)
        } else {
            key.verify_strict(&self.bundle.signed_bytes(&self.receipt.digest()), &signature)
        };
        verified.is_ok()
    }
}

#[cfg(all(test, feature = "ed25519"))]
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::payments::ReceiptKey;

    pub(crate) fn receipt(position: u32) -> Receipt {
        Receipt {
            channel: Pubkey::new_from_array([1; 32]),
            opened_slot: 2,
            statement: 3,
            position,
            license: 4,
            units: 5,
            terms_number: 6,
            amount: 7,
            cumulative: 8,
            work: Pubkey::new_from_array([9; 32]),
            request_digest: [10; 32],
            output_digest: [11; 32],
            issued_at: 12,
        }
    }

    #[test]
    fn bundled_receipts_verify_separately() {
        let operator = SigningKey::from_bytes(&[8; 32]);
        let key = Pubkey::new_from_array(operator.verifying_key().to_bytes());
        for count in 0..40 {
            let receipts: Vec<_> = (0..count).map(receipt).collect();
            let signed = SignedReceipt::sign_together(&receipts, &operator);
            assert_eq!(signed.iter().map(|signed| signed.receipt).collect::<Vec<_>>(), receipts);
            let signatures: HashSet<_> = signed.iter().map(|signed| signed.signature).collect();
            assert_eq!(signatures.len(), receipts.len().div_ceil(BundlePath::MAX_RECEIPTS));
            for one in &signed {
                assert!(one.verifies(&key));
                assert!(!one.verifies(&one.receipt.channel), "another operator");
                let other = SignedReceipt { receipt: receipt(99), ..*one };
                assert!(!other.verifies(&key), "another receipt");
                let alone = SignedReceipt { bundle: BundlePath::default(), ..*one };
                assert_eq!(alone.verifies(&key), one.bundle.is_alone(), "without its siblings");
            }
        }
    }

    #[test]
    fn receipt_outlives_its_key() {
        let key = |seed| SigningKey::from_bytes(&[seed; 32]);
        let address = |seed| Pubkey::new_from_array(key(seed).verifying_key().to_bytes());
        let mut keys = ReceiptKeys::sole(address(1));
        keys.keys.push(ReceiptKey { key: address(2), valid_from: 100 });
        let issued = |issued_at| Receipt { issued_at, ..receipt(0) };
        for (issued_at, valid, other) in [(99, 1, 2), (100, 2, 1)] {
            let receipt = issued(issued_at);
            assert!(SignedReceipt::sign(receipt, &key(valid)).verifies_with(&keys));
            assert!(!SignedReceipt::sign(receipt, &key(other)).verifies_with(&keys));
        }
        assert!(!SignedReceipt::sign(issued(-1), &key(1)).verifies_with(&keys), "no key then");
    }

    #[test]
    fn receipt_and_root_signatures_differ() {
        // A signature of one is not valid for the other.
        let operator = SigningKey::from_bytes(&[8; 32]);
        let key = Pubkey::new_from_array(operator.verifying_key().to_bytes());
        let alone = SignedReceipt::sign(receipt(0), &operator);
        let together = SignedReceipt::sign_together(&[receipt(0), receipt(1)], &operator)[0];
        let mixed = SignedReceipt { bundle: together.bundle, ..alone };
        assert!(alone.verifies(&key) && together.verifies(&key) && !mixed.verifies(&key));
    }
}
