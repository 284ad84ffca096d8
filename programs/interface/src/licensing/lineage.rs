use super::{LicensingError, Offer};
use crate::bps::WHOLE_BPS;
use crate::codec::*;
use crate::require;
use solana_pubkey::Pubkey;

/// Maximum number of parents of a work.
pub const MAX_PARENTS: usize = 8;

/// A work that another one derives from, and its share of the other's earnings.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Parent work.
    pub work: Pubkey,
    /// Share of everything the derivative earns, before its own split.
    pub share_bps: u16,
    /// Number of the parent's terms that allowed the derivative; 0 if the parent's owner signed.
    pub terms_number: u32,
}

impl Parent {
    /// Bytes of a parent in an account.
    pub const SIZE: usize = 38;
}

/// Conditions that a work's terms must meet because of its parents' terms.
///
/// A parent's owner that signs waives the conditions of its own terms, but not those that the
/// parent itself inherited, and not the expiry of a person's consent to the parent.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// Latest expiry of the work's terms, unix seconds; `None` for no limit.
    pub expires_at: Option<i64>,
    /// The work's terms must allow derivatives, share-alike and without approval.
    pub share_alike: bool,
    /// The work's terms must be non-commercial.
    pub non_commercial: bool,
}

impl Inherited {
    /// Adds the conditions of a parent's terms.
    pub fn add(&mut self, offer: &Offer) {
        self.end_by(offer.expires_at);
        self.share_alike |= offer.share_alike;
        self.non_commercial |= !offer.commercial;
    }

    /// Adds the conditions that a parent inherited.
    pub fn pass_on(&mut self, parent: &Self) {
        self.end_by(parent.expires_at);
        self.share_alike |= parent.share_alike;
        self.non_commercial |= parent.non_commercial;
    }

    /// Limits the expiry; the earliest limit applies.
    pub fn end_by(&mut self, expires_at: Option<i64>) {
        self.expires_at = match (self.expires_at, expires_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// Checks that parents are at most 8, distinct, and together take at most the whole.
///
/// # Errors
/// [`LicensingError::TooManyParents`], [`LicensingError::DuplicateParent`],
/// [`LicensingError::InvalidParentShares`].
pub fn check_parents(parents: &[Parent]) -> Result<(), LicensingError> {
    require!(parents.len() <= MAX_PARENTS, LicensingError::TooManyParents);
    let mut total_bps: u32 = 0;
    for (position, parent) in parents.iter().enumerate() {
        let seen_before = parents[..position].iter().any(|other| other.work == parent.work);
        require!(!seen_before, LicensingError::DuplicateParent);
        total_bps += u32::from(parent.share_bps); // 8 x 65,535 fits
    }
    require!(total_bps <= u32::from(WHOLE_BPS), LicensingError::InvalidParentShares);
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
    fn invalid_parents_are_rejected() {
        assert!(check_parents(&[]).is_ok());
        assert!(check_parents(&parents(&[1_250; 8])).is_ok());
        let nine = check_parents(&parents(&[1; 9]));
        assert_eq!(nine, Err(LicensingError::TooManyParents));
        let too_much = check_parents(&parents(&[5_000, 5_001]));
        assert_eq!(too_much, Err(LicensingError::InvalidParentShares));
        let mut twice = parents(&[1, 1]);
        twice[1].work = twice[0].work;
        assert_eq!(check_parents(&twice), Err(LicensingError::DuplicateParent));
    }

    #[test]
    fn inherited_conditions_are_passed_on() {
        let parent = Inherited { expires_at: Some(5), share_alike: true, non_commercial: true };
        let mut child = Inherited { expires_at: Some(9), ..Inherited::default() };
        child.pass_on(&parent);
        assert_eq!(child, parent);
        child.pass_on(&Inherited::default());
        assert_eq!(child, parent);
    }

    #[test]
    fn earliest_expiry_applies() {
        let mut inherited = Inherited::default();
        let ends = [None, Some(5), None, Some(3), Some(4)].map(|end| {
            inherited.end_by(end);
            inherited.expires_at
        });
        assert_eq!(ends, [None, Some(5), Some(5), Some(3), Some(3)]);
    }
}
