//! The bytes a platform signs.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 16 | domain [`Voucher::DOMAIN`] |
//! | 16 | 32 | cluster, from `licensing::Config` |
//! | 48 | 32 | program id |
//! | 80 | 32 | channel address |
//! | 112 | 8 | slot in which the channel was opened, u64 little-endian |
//! | 120 | 8 | statement number, u64 little-endian |
//! | 128 | 8 | cumulative total, base units, u64 little-endian |
//! | 136 | 32 | SHA-256 of the statement's entries |
//! | 168 | 8 | last unix second in which it settles, i64 little-endian |
//!
//! The first byte, 0xFF, starts no Solana transaction: legacy messages begin with a number of
//! signatures, versioned ones with 0x80 plus a version, and 127 is none.

use anchor_lang::prelude::*;

/// The platform's word on the total it owes on a channel, and what the newest part is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// The cluster the channel lives on.
    pub cluster: [u8; 32],
    pub channel: Pubkey,
    /// Tells incarnations of one channel address apart.
    pub opened_slot: u64,
    /// Which statement this pays for; the channel counts them from 0.
    pub statement: u64,
    /// Prices and operator's fees owed by vouchers since the channel opened, base units.
    pub cumulative: u64,
    /// SHA-256 of the statement's entries.
    pub statement_digest: [u8; 32],
    /// Last unix second in which this voucher settles.
    pub expires_at: i64,
}

impl Voucher {
    /// 0xFF, `motif-voucher`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-voucher\x00\x01";
    /// Bytes of a voucher.
    pub const SIZE: usize = 176;

    /// The bytes to sign.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..16].copy_from_slice(&Self::DOMAIN);
        bytes[16..48].copy_from_slice(&self.cluster);
        bytes[48..80].copy_from_slice(crate::ID.as_ref());
        bytes[80..112].copy_from_slice(self.channel.as_ref());
        bytes[112..120].copy_from_slice(&self.opened_slot.to_le_bytes());
        bytes[120..128].copy_from_slice(&self.statement.to_le_bytes());
        bytes[128..136].copy_from_slice(&self.cumulative.to_le_bytes());
        bytes[136..168].copy_from_slice(&self.statement_digest);
        bytes[168..].copy_from_slice(&self.expires_at.to_le_bytes());
        bytes
    }

    /// Reads a voucher for this program; `None` for any other bytes.
    #[inline(always)]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::SIZE] = bytes.try_into().ok()?;
        if bytes[..16] != Self::DOMAIN || bytes[48..80] != *crate::ID.as_array() {
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
    fn a_voucher_survives_its_bytes() {
        assert_eq!(Voucher::from_bytes(&voucher().to_bytes()), Some(voucher()));
    }

    #[test]
    fn bytes_of_another_domain_program_or_length_are_no_voucher() {
        let bytes = voucher().to_bytes();
        assert_eq!(Voucher::from_bytes(&bytes[..175]), None);
        for offset in [0, 15, 48, 79] {
            let mut changed = bytes;
            changed[offset] ^= 1;
            assert_eq!(Voucher::from_bytes(&changed), None, "byte {offset}");
        }
    }
}
