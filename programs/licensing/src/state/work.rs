use anchor_lang::prelude::*;

use super::{MAX_RECIPIENTS, Share};
use crate::{bps::WHOLE_BPS, error::LicensingError};

/// What a work is. Stored as one byte, in this order: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum WorkKind {
    Image,
    Recording,
    Voice,
    Text,
    Video,
    Dataset,
    StyleModel,
}

/// Whether a work takes new licences and derivatives. Stored as one byte: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum WorkStatus {
    Active,
}

/// A similarity-preserving digest of the content: for "looks or sounds like", never proof.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Fingerprint {
    /// Which algorithm made the bits; 0 for none.
    pub scheme: u16,
    /// The bits, first bit first; unused ones are zero.
    pub bits: [u8; 32],
}

/// A work this one was made from, and its part of what this one earns.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Parent {
    pub work: Pubkey,
    /// Of everything this work earns, before its own split.
    pub share_bps: u16,
}

/// A registered creation.
///
/// Seeds: `["work", creator, content_digest]`. With the creator in the seeds nobody can squat
/// another's digest; the same digest under two creators is a visible conflict.
///
/// Always true:
/// - `split` gives away exactly the whole;
/// - `parents` existed before this work and never change, so lineage has no cycles.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Work {
    pub version: u8,
    pub bump: u8,
    pub kind: WorkKind,
    pub status: WorkStatus,
    /// Registered the work; part of its address, so it never changes.
    pub creator: Pubkey,
    /// Publishes terms and approves; the creator, until ownership is handed over.
    pub owner: Pubkey,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    pub fingerprint: Fingerprint,
    /// Unix seconds on chain at registration: the earlier of two equal digests was first.
    pub registered_at: i64,
    /// Number of the latest terms; 0 while there are none.
    pub latest_terms: u32,
    /// Counts changes of `split`.
    pub split_version: u32,
    /// Signed for the use of a person's voice or likeness.
    pub consent: Option<Pubkey>,
    /// Mint of the Token Metadata certificate, if one was issued.
    pub certificate: Option<Pubkey>,
    /// SHA-256 of what `metadata_uri` points to.
    pub metadata_digest: [u8; 32],
    pub metadata_uri: String,
    pub parents: Vec<Parent>,
    pub split: Vec<Share>,
}

impl Work {
    pub const SEED: &'static [u8] = b"work";
    pub const VERSION: u8 = 1;
    pub const MAX_PARENTS: usize = 8;
    pub const MAX_URI_BYTES: usize = 200;
    /// Where `creator`, `owner` and `content_digest` stand in the account, for filters.
    pub const CREATOR_OFFSET: usize = 12;
    pub const OWNER_OFFSET: usize = 44;
    pub const CONTENT_DIGEST_OFFSET: usize = 76;

    const FIXED_SPACE: usize = 8 + 4 + 3 * 32 + 34 + 8 + 4 + 4 + 33 + 33 + 32;

    /// Bytes of an account for a work with so many parents and recipients and so long a URI.
    pub const fn space(parents: usize, recipients: usize, uri_bytes: usize) -> usize {
        Self::FIXED_SPACE + (4 + uri_bytes) + (4 + parents * 34) + (4 + recipients * Share::SIZE)
    }

    /// What the work keeps for its own split, basis points of everything it earns.
    pub fn own_bps(&self) -> u16 {
        let parents_bps: u16 = self.parents.iter().map(|parent| parent.share_bps).sum();
        WHOLE_BPS - parents_bps // registration keeps the sum at or below the whole
    }
}

/// Accepts parents exactly when each is named once and together they take no more than all.
pub fn check_parents(parents: &[Parent]) -> Result<()> {
    require!(parents.len() <= Work::MAX_PARENTS, LicensingError::TooManyParents);
    let mut total_bps: u32 = 0;
    for (position, parent) in parents.iter().enumerate() {
        let seen_before = parents[..position].iter().any(|other| other.work == parent.work);
        require!(!seen_before, LicensingError::ParentTwice);
        total_bps += u32::from(parent.share_bps); // 8 x 65,535 fits
    }
    require!(total_bps <= u32::from(WHOLE_BPS), LicensingError::ParentShares);
    Ok(())
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Work::space(0, 1, 0) == 302);
const _: () = assert!(Work::space(Work::MAX_PARENTS, MAX_RECIPIENTS, Work::MAX_URI_BYTES) == 1_828);

#[cfg(test)]
mod tests {
    use super::*;

    fn parents(shares_bps: &[u16]) -> Vec<Parent> {
        let parent = |(position, share_bps): (usize, &u16)| Parent {
            work: Pubkey::new_from_array([position as u8; 32]),
            share_bps: *share_bps,
        };
        shares_bps.iter().enumerate().map(parent).collect()
    }

    fn largest_work() -> Work {
        let share = Share { recipient: Pubkey::default(), share_bps: 1 };
        Work {
            version: Work::VERSION,
            bump: 255,
            kind: WorkKind::StyleModel,
            status: WorkStatus::Active,
            creator: Pubkey::new_from_array([1; 32]),
            owner: Pubkey::new_from_array([2; 32]),
            content_digest: [3; 32],
            fingerprint: Fingerprint { scheme: 1, bits: [4; 32] },
            registered_at: 1,
            latest_terms: 1,
            split_version: 1,
            consent: Some(Pubkey::default()),
            certificate: Some(Pubkey::default()),
            metadata_digest: [5; 32],
            metadata_uri: "u".repeat(Work::MAX_URI_BYTES),
            parents: parents(&[1; Work::MAX_PARENTS]),
            split: vec![share; MAX_RECIPIENTS],
        }
    }

    #[test]
    fn the_largest_work_fills_exactly_the_space_it_asks_for() {
        let mut bytes = Vec::new();
        largest_work().try_serialize(&mut bytes).unwrap();
        assert_eq!(bytes.len(), Work::space(8, 32, 200));
    }

    #[test]
    fn filter_offsets_point_at_what_they_name() {
        let mut bytes = Vec::new();
        largest_work().try_serialize(&mut bytes).unwrap();
        assert_eq!(bytes[Work::CREATOR_OFFSET..][..32], [1; 32]);
        assert_eq!(bytes[Work::OWNER_OFFSET..][..32], [2; 32]);
        assert_eq!(bytes[Work::CONTENT_DIGEST_OFFSET..][..32], [3; 32]);
    }

    #[test]
    fn parents_are_few_and_distinct_and_take_at_most_everything() {
        assert!(check_parents(&[]).is_ok());
        assert!(check_parents(&parents(&[1_250; 8])).is_ok());
        let nine = check_parents(&parents(&[1; 9]));
        assert_eq!(nine, Err(LicensingError::TooManyParents.into()));
        let too_much = check_parents(&parents(&[5_000, 5_001]));
        assert_eq!(too_much, Err(LicensingError::ParentShares.into()));
        let mut twice = parents(&[1, 1]);
        twice[1].work = twice[0].work;
        assert_eq!(check_parents(&twice), Err(LicensingError::ParentTwice.into()));
    }
}
