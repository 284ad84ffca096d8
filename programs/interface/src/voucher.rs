//! Vouchers: the payer's signed promise of the total it owes on a channel.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 16 | domain [`Voucher::DOMAIN`] |
//! | 16 | 32 | cluster, from `licensing`'s `Config` |
//! | 48 | 32 | program id |
//! | 80 | 32 | channel address |
//! | 112 | 8 | slot in which the channel was opened, u64 little-endian |
//! | 120 | 8 | statement number, u64 little-endian |
//! | 128 | 8 | cumulative total, base units, u64 little-endian |
//! | 136 | 32 | SHA-256 of the statement's entries |
//! | 168 | 8 | last unix second in which it settles, i64 little-endian |
//!
//! The first byte, 0xFF, starts no Solana transaction: legacy messages begin with a number of
//! signatures, versioned ones with 0x80 plus a version, of which 127 does not exist.
//!
#![cfg_attr(feature = "ed25519", doc = "```")]
#![cfg_attr(not(feature = "ed25519"), doc = "```ignore")]
//! use ed25519_dalek::SigningKey;
//! use motif_interface::{Pubkey, voucher::{SignedVoucher, Statement, Voucher}};
//!
//! // Two generations under license 0 and one under license 3 since the last settlement.
//! let mut statement = Statement::default();
//! for license in [0, 3, 0] {
//!     statement.add(license, 1)?;
//! }
//! let voucher = Voucher {
//!     cluster: [7; 32],
//!     channel: Pubkey::new_from_array([1; 32]),
//!     opened_slot: 250,
//!     statement: 0,
//!     cumulative: 3_060, // 3 x 1,000 base units and the operator's 2 %
//!     statement_digest: statement.digest(),
//!     expires_at: 1_800_000_000,
//! };
//! let signed = SignedVoucher::sign(voucher, &SigningKey::from_bytes(&[9; 32]));
//! assert!(signed.verifies());
//! # Ok::<(), motif_interface::voucher::StatementFull>(())
//! ```

#[cfg(feature = "ed25519")]
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use solana_pubkey::Pubkey;

pub use crate::statement::{Statement, StatementFull};

/// Promise of the total owed on a channel, and of the statement that its newest part pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Cluster tag of the deployment.
    pub cluster: [u8; 32],
    /// Channel that pays.
    pub channel: Pubkey,
    /// Slot in which the channel was opened; distinguishes channels at one address.
    pub opened_slot: u64,
    /// Number of the statement; a channel counts them from 0.
    pub statement: u64,
    /// Prices and operator's fees owed by vouchers since the channel opened, base units.
    pub cumulative: u64,
    /// SHA-256 of the statement's entries.
    pub statement_digest: [u8; 32],
    /// Last unix second in which the voucher settles.
    pub expires_at: i64,
}

impl Voucher {
    /// 0xFF, `motif-voucher`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-voucher\x00\x01";
    /// Bytes of a voucher.
    pub const SIZE: usize = 176;

    /// Returns the bytes to sign.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..16].copy_from_slice(&Self::DOMAIN);
        bytes[16..48].copy_from_slice(&self.cluster);
        bytes[48..80].copy_from_slice(crate::payments::ID.as_ref());
        bytes[80..112].copy_from_slice(self.channel.as_ref());
        bytes[112..120].copy_from_slice(&self.opened_slot.to_le_bytes());
        bytes[120..128].copy_from_slice(&self.statement.to_le_bytes());
        bytes[128..136].copy_from_slice(&self.cumulative.to_le_bytes());
        bytes[136..168].copy_from_slice(&self.statement_digest);
        bytes[168..].copy_from_slice(&self.expires_at.to_le_bytes());
        bytes
    }

    /// Reads a voucher for this program; returns `None` for any other bytes.
    #[inline(always)]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::SIZE] = bytes.try_into().ok()?;
        if bytes[..16] != Self::DOMAIN || bytes[48..80] != *crate::payments::ID.as_array() {
            return None;
        }
        Some(Self {
            cluster: field(bytes, 16),
            channel: Pubkey::new_from_array(field(bytes, 80)),
            opened_slot: u64::from_le_bytes(field(bytes, 112)),
            statement: u64::from_le_bytes(field(bytes, 120)),
            cumulative: u64::from_le_bytes(field(bytes, 128)),
            statement_digest: field(bytes, 136),
            expires_at: i64::from_le_bytes(field(bytes, 168)),
        })
    }
}

#[inline(always)]
fn field<const N: usize>(bytes: &[u8; Voucher::SIZE], offset: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[offset..offset + N]);
    field
}

/// A voucher with its signature. With the statement, it settles the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedVoucher {
    /// Signed voucher.
    pub voucher: Voucher,
    /// Voucher key of the channel.
    pub key: Pubkey,
    /// Ed25519 signature of [`Voucher::to_bytes`].
    pub signature: [u8; 64],
}

impl SignedVoucher {
    /// Signs a voucher with the channel's voucher key.
    #[cfg(feature = "ed25519")]
    pub fn sign(voucher: Voucher, key: &SigningKey) -> Self {
        Self {
            voucher,
            key: Pubkey::new_from_array(key.verifying_key().to_bytes()),
            signature: key.sign(&voucher.to_bytes()).to_bytes(),
        }
    }

    /// Returns whether the signature is valid, exactly as the chain's Ed25519 precompile decides:
    /// strict verification, which rejects keys and points of small order.
    #[cfg(feature = "ed25519")]
    pub fn verifies(&self) -> bool {
        VerifyingKey::from_bytes(self.key.as_array()).is_ok_and(|key| self.verifies_with(&key))
    }

    /// Returns whether the signature is valid, as [`SignedVoucher::verifies`] does, with a key that
    /// is already decompressed: decompression takes a seventh of the time.
    #[cfg(feature = "ed25519")]
    pub fn verifies_with(&self, key: &VerifyingKey) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        key.as_bytes() == self.key.as_array()
            && key.verify_strict(&self.voucher.to_bytes(), &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voucher() -> Voucher {
        Voucher {
            cluster: [1; 32],
            channel: Pubkey::new_from_array([2; 32]),
            opened_slot: 3,
            statement: 4,
            cumulative: 5,
            statement_digest: [6; 32],
            expires_at: 7,
        }
    }

    #[test]
    fn voucher_is_read_back() {
        assert_eq!(Voucher::from_bytes(&voucher().to_bytes()), Some(voucher()));
    }

    #[test]
    fn other_domain_program_or_length_fails() {
        let bytes = voucher().to_bytes();
        assert_eq!(Voucher::from_bytes(&bytes[..175]), None);
        for offset in [0, 15, 48, 79] {
            let mut changed = bytes;
            changed[offset] ^= 1;
            assert_eq!(Voucher::from_bytes(&changed), None, "byte {offset}");
        }
    }

    #[cfg(feature = "ed25519")]
    #[test]
    fn signature_covers_the_voucher() {
        let signed = SignedVoucher::sign(voucher(), &SigningKey::from_bytes(&[9; 32]));
        assert!(signed.verifies());
        let mut raised = signed;
        raised.voucher.cumulative += 1;
        assert!(!raised.verifies());
        let mut forged = signed;
        forged.signature[0] ^= 1;
        assert!(!forged.verifies());
    }
}
