//! Sales: one-off uses of works, paid by a plain token transfer to a till.
//!
//! The buyer's transaction proves the sale. It transfers at least the price to the till, and its memo
//! commits to what was bought: [`SaleAcceptance::memo`]. The commitment is cut to 24 bytes, 32
//! characters, because stock x402 clients limit a payment to 20,000 compute units, of which the memo
//! program takes 350 a byte.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 15 | domain [`SaleAcceptance::DOMAIN`] |
//! | 15 | 32 | cluster, from `licensing`'s `Config` |
//! | 47 | 32 | till |
//! | 79 | 32 | work of the till, or digest of its shares if it has several |
//! | 111 | 32 | mint |
//! | 143 | 4 | number of the terms, 0 for several works |
//! | 147 | 32 | digest of the terms, or [`terms_digest`] for several works |
//! | 179 | 1 | use |
//! | 180 | 4 | units |
//! | 184 | 8 | amount, base units |
//! | 192 | 32 | SHA-256 of the request |
//! | 224 | 32 | authority of the operator, zeros without one |
//! | 256 | 8 | last unix second in which the payment lands |
//! | 264 | 8 | nonce |
//!
//! Integers are little-endian.
//!
//! ```
//! use motif_interface::{Pubkey, acceptance::SaleAcceptance, licensing::Use};
//!
//! let acceptance = SaleAcceptance {
//!     cluster: [1; 32],
//!     till: Pubkey::new_from_array([2; 32]),
//!     subject: [3; 32],
//!     mint: Pubkey::new_from_array([4; 32]),
//!     terms_number: 5,
//!     terms_digest: [6; 32],
//!     licensed_use: Use::Generate,
//!     units: 7,
//!     amount: 7_000,
//!     request_digest: [8; 32],
//!     operator: Pubkey::default(),
//!     not_after: 1_800_000_000,
//!     nonce: 9,
//! };
//! assert_eq!(acceptance.memo().len(), 32);
//! assert_eq!(SaleAcceptance::from_bytes(&acceptance.to_bytes()), Some(acceptance));
//! ```

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use crate::licensing::Use;

pub use crate::program_ids::MEMO_PROGRAM;

/// What a buyer accepts with one payment to a till.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaleAcceptance {
    /// Cluster tag of the deployment.
    pub cluster: [u8; 32],
    /// Till that is paid.
    pub till: Pubkey,
    /// Work of the till, or digest of its shares: [`TillShares::subject`](crate::payments::TillShares::subject).
    pub subject: [u8; 32],
    /// Mint of the payment.
    pub mint: Pubkey,
    /// Number of the work's terms; 0 for a till of several works.
    pub terms_number: u32,
    /// Digest of the work's terms; [`terms_digest`] for a till of several works.
    pub terms_digest: [u8; 32],
    /// Licensed use.
    pub licensed_use: Use,
    /// Units of the use, of each work.
    pub units: u32,
    /// Amount paid, base units.
    pub amount: u64,
    /// SHA-256 of the request, as the buyer states it.
    pub request_digest: [u8; 32],
    /// Authority of the operator; zeros without one.
    pub operator: Pubkey,
    /// Last unix second in which the payment lands.
    pub not_after: i64,
    /// Distinguishes equal purchases.
    pub nonce: u64,
}

impl SaleAcceptance {
    /// 0xFF, `motif-accept`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 15] = *b"\xFFmotif-accept\x00\x01";
    /// Bytes of an acceptance.
    pub const SIZE: usize = 272;
    /// Bytes of the commitment in a memo.
    pub const COMMITMENT_BYTES: usize = 24;

    /// Returns the bytes that the memo commits to.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let fields: [&[u8]; 14] = [
            &Self::DOMAIN,
            &self.cluster,
            self.till.as_ref(),
            &self.subject,
            self.mint.as_ref(),
            &self.terms_number.to_le_bytes(),
            &self.terms_digest,
            &[self.licensed_use as u8],
            &self.units.to_le_bytes(),
            &self.amount.to_le_bytes(),
            &self.request_digest,
            self.operator.as_ref(),
            &self.not_after.to_le_bytes(),
            &self.nonce.to_le_bytes(),
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

    /// Reads an acceptance; returns `None` for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&Self::DOMAIN)?;
        let acceptance = Self {
            cluster: take(&mut rest)?,
            till: Pubkey::new_from_array(take(&mut rest)?),
            subject: take(&mut rest)?,
            mint: Pubkey::new_from_array(take(&mut rest)?),
            terms_number: u32::from_le_bytes(take(&mut rest)?),
            terms_digest: take(&mut rest)?,
            licensed_use: Use::from_byte(take::<1>(&mut rest)?[0])?,
            units: u32::from_le_bytes(take(&mut rest)?),
            amount: u64::from_le_bytes(take(&mut rest)?),
            request_digest: take(&mut rest)?,
            operator: Pubkey::new_from_array(take(&mut rest)?),
            not_after: i64::from_le_bytes(take(&mut rest)?),
            nonce: u64::from_le_bytes(take(&mut rest)?),
        };
        rest.is_empty().then_some(acceptance)
    }

    /// Returns the memo of the payment: base64url, without padding, of the first 24 bytes of
    /// SHA-256 of the acceptance.
    pub fn memo(&self) -> String {
        let digest = hash(&self.to_bytes()).to_bytes();
        base64url(&digest[..Self::COMMITMENT_BYTES])
    }

    /// Creates the memo program's instruction with the memo. Needs no signature.
    pub fn memo_instruction(&self) -> Instruction {
        let data = self.memo().into_bytes();
        Instruction { program_id: MEMO_PROGRAM, accounts: Vec::new(), data }
    }
}

/// Returns the digest of several works' terms, in the order of their till: SHA-256 of each terms'
/// number (u32, little-endian) and digest (32).
pub fn terms_digest(terms: &[(u32, [u8; 32])]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(36 * terms.len());
    for (number, digest) in terms {
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(digest);
    }
    hash(&bytes).to_bytes()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// Encodes bytes, a multiple of three, as base64url.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (groups, _) = bytes.as_chunks::<3>();
    let mut text = String::with_capacity(4 * groups.len());
    for [one, two, three] in groups {
        let bits = u32::from(*one) << 16 | u32::from(*two) << 8 | u32::from(*three);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(ALPHABET[(bits >> shift) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acceptance() -> SaleAcceptance {
        SaleAcceptance {
            cluster: [1; 32],
            till: Pubkey::new_from_array([2; 32]),
            subject: [3; 32],
            mint: Pubkey::new_from_array([4; 32]),
            terms_number: 5,
            terms_digest: [6; 32],
            licensed_use: Use::StyleTransfer,
            units: 7,
            amount: 8,
            request_digest: [9; 32],
            operator: Pubkey::new_from_array([10; 32]),
            not_after: 11,
            nonce: 12,
        }
    }

    #[test]
    fn acceptance_is_read_back() {
        let bytes = acceptance().to_bytes();
        assert_eq!(SaleAcceptance::from_bytes(&bytes), Some(acceptance()));
        assert_eq!(SaleAcceptance::from_bytes(&bytes[..271]), None);
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(SaleAcceptance::from_bytes(&longer), None);
        for offset in [0, 14, 179] {
            let mut changed = bytes;
            changed[offset] ^= 0x80;
            assert_eq!(SaleAcceptance::from_bytes(&changed), None, "byte {offset}");
        }
    }

    #[test]
    fn memo_binds_every_byte() {
        let memo = acceptance().memo();
        let bytes = acceptance().to_bytes();
        for offset in SaleAcceptance::DOMAIN.len()..SaleAcceptance::SIZE {
            let mut changed = bytes;
            changed[offset] ^= 1;
            let other = SaleAcceptance::from_bytes(&changed);
            assert_ne!(other.map(|other| other.memo()), Some(memo.clone()), "byte {offset}");
        }
    }

    #[test]
    fn base64url_matches_the_standard() {
        assert_eq!(base64url(&[0xFB, 0xFF, 0xBF]), "-_-_");
        assert_eq!(base64url(b"Man"), "TWFu");
        assert_eq!(base64url(&[0; 24]), "A".repeat(32));
    }
}
