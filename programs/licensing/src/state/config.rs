use anchor_lang::prelude::*;

use crate::error::LicensingError;

/// What holds for one deployment of Motif.
///
/// Seeds: `["config"]`.
#[account]
#[derive(Debug, PartialEq, Eq, InitSpace)]
pub struct Config {
    pub version: u8,
    pub bump: u8,
    /// Names this cluster in every voucher, so that one signed for another cluster is worth
    /// nothing here. By convention the cluster's genesis hash.
    pub cluster: [u8; 32],
    /// May change this account.
    pub authority: Pubkey,
    /// Offered the authority; becomes it by accepting.
    pub pending_authority: Option<Pubkey>,
    /// Decides disputes.
    pub arbiter: Pubkey,
    /// What a claimant puts at stake with a dispute, lamports.
    pub dispute_bond_lamports: u64,
    /// From the opening of a dispute to the last second of its verdict.
    pub dispute_seconds: u32,
}

impl Config {
    pub const SEED: &'static [u8] = b"config";
    pub const VERSION: u8 = 1;
    pub const SPACE: usize = Self::DISCRIMINATOR.len() + Self::INIT_SPACE;
    pub const MIN_DISPUTE_SECONDS: u32 = 86_400;
    pub const MAX_DISPUTE_SECONDS: u32 = 60 * 86_400;

    /// Last line of whatever changes how disputes go.
    ///
    /// `least_bond` is what an account needs to exist: a smaller bond could not be paid to an
    /// owner whose account is empty, and the dispute would never end.
    pub fn check(&self, least_bond: u64) -> Result<()> {
        let lengths = Self::MIN_DISPUTE_SECONDS..=Self::MAX_DISPUTE_SECONDS;
        require!(lengths.contains(&self.dispute_seconds), LicensingError::InvalidDisputeLength);
        require!(self.dispute_bond_lamports >= least_bond, LicensingError::BondTooSmall);
        Ok(())
    }

    /// Hands the authority to whoever it was offered to last.
    pub fn accept_authority(&mut self, accepter: Pubkey) -> Result<()> {
        require!(self.pending_authority == Some(accepter), LicensingError::NotOffered);
        self.authority = accepter;
        self.pending_authority = None;
        Ok(())
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Config::SPACE == 151);

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            version: Config::VERSION,
            bump: 255,
            cluster: [0; 32],
            authority: Pubkey::new_from_array([1; 32]),
            pending_authority: None,
            arbiter: Pubkey::default(),
            dispute_bond_lamports: 0,
            dispute_seconds: 0,
        }
    }

    #[test]
    fn a_dispute_lasts_a_day_to_sixty_days_and_its_bond_can_be_paid() {
        let disputes = |dispute_bond_lamports, dispute_seconds| {
            Config { dispute_bond_lamports, dispute_seconds, ..config() }.check(10)
        };
        for seconds in [86_399, 60 * 86_400 + 1] {
            assert_eq!(disputes(10, seconds), Err(LicensingError::InvalidDisputeLength.into()));
        }
        assert_eq!(disputes(9, 86_400), Err(LicensingError::BondTooSmall.into()));
        for seconds in [86_400, 60 * 86_400] {
            assert_eq!(disputes(10, seconds), Ok(()));
        }
    }

    #[test]
    fn only_whom_it_was_offered_to_accepts_the_authority_and_only_once() {
        let (offered, other) = (Pubkey::new_from_array([2; 32]), Pubkey::new_from_array([3; 32]));
        let mut config = Config { pending_authority: Some(offered), ..config() };
        assert_eq!(config.accept_authority(other), Err(LicensingError::NotOffered.into()));
        assert_eq!(config.accept_authority(offered), Ok(()));
        assert_eq!((config.authority, config.pending_authority), (offered, None));
        assert_eq!(config.accept_authority(offered), Err(LicensingError::NotOffered.into()));
    }
}
