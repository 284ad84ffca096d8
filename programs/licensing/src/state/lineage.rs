use anchor_lang::prelude::*;

use super::{Offer, Work};
use crate::{bps::WHOLE_BPS, error::LicensingError};

/// A work this one was made from, and its part of what this one earns.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Parent {
    pub work: Pubkey,
    /// Of everything this work earns, before its own split.
    pub share_bps: u16,
    /// Number of the parent's terms that allowed it; 0 where the parent's owner signed.
    pub terms_number: u32,
}

impl Parent {
    /// Bytes of one parent in an account.
    pub const SIZE: usize = 38;
}

/// What the terms of a work's parents demand of its own terms. An owner that signs waives its
/// own, and passes on what its work itself inherited.
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, InitSpace,
)]
pub struct Inherited {
    /// The latest that terms may last, unix seconds; `None` for no limit.
    pub expires_at: Option<i64>,
    /// Derivatives of it must be allowed on the same condition, to everybody.
    pub share_alike: bool,
    /// It may be licensed for non-commercial use only.
    pub non_commercial: bool,
}

impl Inherited {
    /// Adds what a parent's terms demand.
    pub fn add(&mut self, offer: &Offer) {
        self.end_by(offer.expires_at);
        self.share_alike |= offer.share_alike;
        self.non_commercial |= !offer.commercial;
    }

    /// Adds what a parent has inherited itself.
    pub fn pass_on(&mut self, parent: &Self) {
        self.end_by(parent.expires_at);
        self.share_alike |= parent.share_alike;
        self.non_commercial |= parent.non_commercial;
    }

    /// Adds an end; the earliest one counts.
    pub fn end_by(&mut self, expires_at: Option<i64>) {
        self.expires_at = match (self.expires_at, expires_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// Accepts parents exactly when each is named once and together they take no more than all.
pub fn check_parents(parents: &[Parent]) -> Result<()> {
    require!(parents.len() <= Work::MAX_PARENTS, LicensingError::TooManyParents);
    let mut total_bps: u32 = 0;
    for (position, parent) in parents.iter().enumerate() {
        let seen_before = parents[..position].iter().any(|other| other.work == parent.work);
        require!(!seen_before, LicensingError::DuplicateParent);
        total_bps += u32::from(parent.share_bps); // 8 x 65,535 fits
    }
    require!(total_bps <= u32::from(WHOLE_BPS), LicensingError::ParentShares);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parents(shares_bps: &[u16]) -> Vec<Parent> {
        let parent = |(position, share_bps): (usize, &u16)| Parent {
            work: Pubkey::new_from_array([position as u8; 32]),
            share_bps: *share_bps,
            terms_number: 0,
        };
        shares_bps.iter().enumerate().map(parent).collect()
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
        assert_eq!(check_parents(&twice), Err(LicensingError::DuplicateParent.into()));
    }

    #[test]
    fn what_a_parent_inherited_is_passed_on() {
        let parent = Inherited { expires_at: Some(5), share_alike: true, non_commercial: true };
        let mut child = Inherited { expires_at: Some(9), ..Inherited::default() };
        child.pass_on(&parent);
        assert_eq!(child, parent);
        child.pass_on(&Inherited::default());
        assert_eq!(child, parent);
    }

    #[test]
    fn the_earliest_end_counts() {
        let mut inherited = Inherited::default();
        let ends = [None, Some(5), None, Some(3), Some(4)].map(|end| {
            inherited.end_by(end);
            inherited.expires_at
        });
        assert_eq!(ends, [None, Some(5), Some(5), Some(3), Some(3)]);
    }
}
