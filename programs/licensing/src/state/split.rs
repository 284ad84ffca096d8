use anchor_lang::prelude::*;
use solana_sha256_hasher::hash;

use crate::{bps::WHOLE_BPS, error::LicensingError};

/// One recipient's part of what a work earns.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Share {
    pub recipient: Pubkey,
    /// Of the work's own part, which is what the parents' shares leave.
    pub share_bps: u16,
}

impl Share {
    /// Bytes of one share in an account or an instruction.
    pub const SIZE: usize = 34;
}

/// How many recipients one work can have.
pub const MAX_RECIPIENTS: usize = 32;

/// Accepts a split exactly when it pays every recipient once and gives the whole away.
pub fn check_split(split: &[Share]) -> Result<()> {
    require!((1..=MAX_RECIPIENTS).contains(&split.len()), LicensingError::InvalidSplitSize);
    let mut total_bps: u32 = 0;
    for (position, share) in split.iter().enumerate() {
        require!(share.share_bps > 0, LicensingError::EmptyShare);
        let seen_before = split[..position].iter().any(|other| other.recipient == share.recipient);
        require!(!seen_before, LicensingError::DuplicateRecipient);
        total_bps += u32::from(share.share_bps); // 32 x 65,535 fits
    }
    require!(total_bps == u32::from(WHOLE_BPS), LicensingError::InvalidSplitTotal);
    Ok(())
}

/// What names a split: SHA-256 of its recipients (32 bytes) and shares (u16 little-endian), in
/// order.
pub fn split_digest(split: &[Share]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(split.len() * Share::SIZE);
    for share in split {
        bytes.extend_from_slice(share.recipient.as_ref());
        bytes.extend_from_slice(&share.share_bps.to_le_bytes());
    }
    hash(&bytes).to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(shares_bps: &[u16]) -> Vec<Share> {
        let recipient = |position: usize| Pubkey::new_from_array([position as u8 + 1; 32]);
        let share = |(position, share_bps): (usize, &u16)| Share {
            recipient: recipient(position),
            share_bps: *share_bps,
        };
        shares_bps.iter().enumerate().map(share).collect()
    }

    #[test]
    fn halves_are_a_split() {
        assert!(check_split(&split(&[5_000, 5_000])).is_ok());
    }

    #[test]
    fn split_must_total_10000() {
        for shares_bps in [&[9_999][..], &[5_000, 5_001], &[u16::MAX, u16::MAX]] {
            assert_eq!(
                check_split(&split(shares_bps)),
                Err(LicensingError::InvalidSplitTotal.into())
            );
        }
    }

    #[test]
    fn recipient_count_is_bounded() {
        assert_eq!(check_split(&[]), Err(LicensingError::InvalidSplitSize.into()));
        assert_eq!(check_split(&split(&[1; 33])), Err(LicensingError::InvalidSplitSize.into()));
        let mut widest = vec![312; 32];
        widest[0] += 16;
        assert!(check_split(&split(&widest)).is_ok());
    }

    #[test]
    fn nobody_stands_in_a_split_twice_or_for_nothing() {
        let mut twice = split(&[5_000, 5_000]);
        twice[1].recipient = twice[0].recipient;
        assert_eq!(check_split(&twice), Err(LicensingError::DuplicateRecipient.into()));
        assert_eq!(check_split(&split(&[10_000, 0])), Err(LicensingError::EmptyShare.into()));
    }
}
