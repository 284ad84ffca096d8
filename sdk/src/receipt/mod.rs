//! Receipts: what a platform holds for one generation, and how it is proved against the chain.
//!
//! A receipt is signed by the operator when the generation is served. When its statement
//! settles, the operator commits to all of the statement's receipts by the root of a
//! Merkle-sum tree ([`tree`]) whose sum the program checks to be what was settled; the channel
//! keeps every settled statement in a mountain range. [`proof`] follows that path back.

pub mod proof;
pub mod tree;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

/// One paid generation.
///
/// Bytes, 198: domain (16), channel (32), opened slot (8), statement (8), position (4),
/// licence (2), units (4), terms number (4), amount (8), cumulative (8), work (32), request
/// digest (32), output digest (32), issued at (8). Integers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The channel that paid.
    pub channel: Pubkey,
    /// Which incarnation of the channel's address.
    pub opened_slot: u64,
    /// The statement this generation is part of.
    pub statement: u64,
    /// Counts the statement's receipts from 0.
    pub position: u32,
    /// Index of the licence on the channel.
    pub licence: u16,
    /// Units used, free ones included.
    pub units: u32,
    /// Version of the work's terms that was licensed.
    pub terms_number: u32,
    /// Price of this generation, base units, without the operator's fee.
    pub amount: u64,
    /// The voucher's total with this generation, base units.
    pub cumulative: u64,
    /// The licensed work.
    pub work: Pubkey,
    /// SHA-256 of the request, as the platform states it.
    pub request_digest: [u8; 32],
    /// SHA-256 of the output, as the platform states it.
    pub output_digest: [u8; 32],
    /// Unix seconds on the gateway.
    pub issued_at: i64,
}

impl Receipt {
    /// 0xFF, `motif-receipt`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-receipt\x00\x01";
    /// Bytes of a receipt.
    pub const SIZE: usize = 198;

    /// The bytes the operator signs.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let fields: [&[u8]; 14] = [
            &Self::DOMAIN,
            self.channel.as_ref(),
            &self.opened_slot.to_le_bytes(),
            &self.statement.to_le_bytes(),
            &self.position.to_le_bytes(),
            &self.licence.to_le_bytes(),
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

    /// SHA-256 of the bytes: the receipt's identity.
    pub fn digest(&self) -> [u8; 32] {
        hash(&self.to_bytes()).to_bytes()
    }
}

/// A receipt with the operator's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    /// What was signed.
    pub receipt: Receipt,
    /// The operator's Ed25519 signature over [`Receipt::to_bytes`].
    pub signature: [u8; 64],
}

impl SignedReceipt {
    /// Signs with the operator's key.
    pub fn sign(receipt: Receipt, operator: &SigningKey) -> Self {
        Self { receipt, signature: operator.sign(&receipt.to_bytes()).to_bytes() }
    }

    /// Whether `operator` signed exactly this receipt.
    pub fn verifies(&self, operator: &Pubkey) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(operator.as_array()) else { return false };
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        key.verify_strict(&self.receipt.to_bytes(), &signature).is_ok()
    }
}
