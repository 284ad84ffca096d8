use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::LicensingError;
use crate::{bps::WHOLE_BPS, codec::*, require};

/// One recipient's share of a work's own earnings.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Key that may claim the share.
    pub recipient: Pubkey,
    /// Share of what remains after the parents' shares.
    pub share_bps: u16,
}

impl Share {
    /// Bytes of a share in an account or an instruction.
    pub const SIZE: usize = 34;
}

/// Maximum number of recipients of a split.
pub const MAX_RECIPIENTS: usize = 32;

/// Checks that a split has 1 to 32 distinct recipients whose shares add up to the whole.
///
/// # Errors
/// [`LicensingError::InvalidSplitSize`], [`LicensingError::EmptyShare`],
/// [`LicensingError::DuplicateRecipient`], [`LicensingError::InvalidSplitTotal`].
pub fn check_split(split: &[Share]) -> Result<(), LicensingError> {
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

/// Returns the SHA-256 of a split's recipients (32 bytes) and shares (u16 little-endian), in
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
    fn halves_are_a_valid_split() {
        assert!(check_split(&split(&[5_000, 5_000])).is_ok());
    }

    #[test]
    fn split_adds_up_to_the_whole() {
        for shares_bps in [&[9_999][..], &[5_000, 5_001], &[u16::MAX, u16::MAX]] {
            assert_eq!(check_split(&split(shares_bps)), Err(LicensingError::InvalidSplitTotal));
        }
    }

    #[test]
    fn split_has_1_to_32_recipients() {
        assert_eq!(check_split(&[]), Err(LicensingError::InvalidSplitSize));
        assert_eq!(check_split(&split(&[1; 33])), Err(LicensingError::InvalidSplitSize));
        let mut widest = vec![312; 32];
        widest[0] += 16;
        assert!(check_split(&split(&widest)).is_ok());
    }

    #[test]
    fn duplicate_or_empty_share_is_rejected() {
        let mut twice = split(&[5_000, 5_000]);
        twice[1].recipient = twice[0].recipient;
        assert_eq!(check_split(&twice), Err(LicensingError::DuplicateRecipient));
        assert_eq!(check_split(&split(&[10_000, 0])), Err(LicensingError::EmptyShare));
    }
}
