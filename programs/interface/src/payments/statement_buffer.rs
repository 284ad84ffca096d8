use bytemuck::{Pod, Zeroable};
use solana_pubkey::Pubkey;

use crate::statement::Entry;

/// Buffer for a statement that exceeds a packet, written in parts before it settles.
///
/// Seeds: `["buffer", channel, settler]`. Each settler has its own buffer, so settlers cannot
/// interfere. The bytes of the statement follow this header in the same account.
#[cfg_attr(feature = "idl-build", anchor_lang::zero_copy)]
#[cfg_attr(not(feature = "idl-build"), derive(Clone, Copy, Pod, Zeroable), repr(C))]
#[derive(Debug)]
pub struct StatementBuffer {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 6],
    /// Channel that the statement is for.
    pub channel: Pubkey,
    /// Key that writes the buffer, pays its rent and settles with it.
    pub settler: Pubkey,
}

impl StatementBuffer {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"buffer";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes before the statement.
    pub const HEADER_SPACE: usize = 8 + size_of::<Self>();
    /// Maximum number of entries: as many licenses with every kind of cap settle within the
    /// 1,400,000 compute units of a transaction.
    pub const MAX_ENTRIES: usize = 4_500;
    /// Maximum length of a statement.
    pub const MAX_BYTES: usize = Self::MAX_ENTRIES * Entry::SIZE;

    /// Returns the bytes of an account with `bytes` of a statement.
    pub const fn space(bytes: usize) -> usize {
        Self::HEADER_SPACE + bytes
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(StatementBuffer::HEADER_SPACE == 80);
