use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;

use crate::codec::*;

/// Result of one settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Number of the statement.
    pub statement: u64,
    /// Prices of the statement, base units.
    pub prices: u64,
    /// Operator's fee for the statement, base units.
    pub fee: u64,
    /// Prices and fees since opening, base units.
    pub cumulative: u64,
}

/// Operator's commitment to the receipts of a statement.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptsCommitment {
    /// Root of the Merkle-sum tree of the statement's receipts.
    pub root: [u8; 32],
    /// Sum of the tree; must equal the sum of the statement's prices.
    pub sum: u64,
}

/// Record of a settled statement; its hash is a leaf of the channel's Merkle mountain range.
///
/// Bytes: domain (16), channel (32), opened slot (8), statement (8), prices (8), fee (8),
/// cumulative (8), statement digest (32), 1 with receipts or 0 without (1), receipts root (32).
/// Integers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementRecord {
    /// Channel that settled the statement.
    pub channel: Pubkey,
    /// Slot in which the channel was opened.
    pub opened_slot: u64,
    /// Amounts of the settlement.
    pub settlement: Settlement,
    /// SHA-256 of the statement's entries.
    pub statement_digest: [u8; 32],
    /// Root of the receipts' tree; `None` if the settler was not the operator.
    pub receipts_root: Option<[u8; 32]>,
}

impl StatementRecord {
    /// 0xFF, `motif-settled`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-settled\x00\x01";

    /// Returns the SHA-256 of the record's bytes.
    pub fn hash(&self) -> [u8; 32] {
        let Settlement { statement, prices, fee, cumulative } = self.settlement;
        hashv(&[
            &Self::DOMAIN,
            self.channel.as_ref(),
            &self.opened_slot.to_le_bytes(),
            &statement.to_le_bytes(),
            &prices.to_le_bytes(),
            &fee.to_le_bytes(),
            &cumulative.to_le_bytes(),
            &self.statement_digest,
            &[u8::from(self.receipts_root.is_some())],
            &self.receipts_root.unwrap_or_default(),
        ])
        .to_bytes()
    }
}
