use solana_pubkey::Pubkey;

use super::LicensingError;
use crate::{codec::*, require};

/// Settings of one deployment of the programs.
///
/// Seeds: `["config"]`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Cluster tag in every voucher: vouchers for other clusters are invalid here. By convention
    /// the cluster's genesis hash.
    pub cluster: [u8; 32],
    /// Key that may change this account.
    pub authority: Pubkey,
    /// Key that may accept the authority.
    pub pending_authority: Option<Pubkey>,
    /// Key that decides disputes.
    pub arbiter: Pubkey,
    /// Bond that a claimant deposits with a dispute, lamports.
    pub dispute_bond_lamports: u64,
    /// Time from the opening of a dispute to the last second of its verdict.
    pub dispute_seconds: u32,
}

impl Config {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"config";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes of the account, with room for a pending authority.
    pub const SPACE: usize = 8 + 2 + 32 + 32 + 33 + 32 + 8 + 4;
    /// Minimum of `dispute_seconds`.
    pub const MIN_DISPUTE_SECONDS: u32 = 86_400;
    /// Maximum of `dispute_seconds`.
    pub const MAX_DISPUTE_SECONDS: u32 = 60 * 86_400;

    /// Checks the settings of disputes; last step of every change to them.
    ///
    /// `min_bond` is the rent-exempt minimum of an empty account: a smaller bond could not be
    /// paid to an owner with an empty account, and the dispute could not end.
    ///
    /// # Errors
    /// [`LicensingError::InvalidDisputeLength`], [`LicensingError::BondTooSmall`].
    pub fn check(&self, min_bond: u64) -> Result<(), LicensingError> {
        let lengths = Self::MIN_DISPUTE_SECONDS..=Self::MAX_DISPUTE_SECONDS;
        require!(lengths.contains(&self.dispute_seconds), LicensingError::InvalidDisputeLength);
        require!(self.dispute_bond_lamports >= min_bond, LicensingError::BondTooSmall);
        Ok(())
    }

    /// Makes the pending authority the authority.
    ///
    /// # Errors
    /// [`LicensingError::NotOffered`] if `accepter` is not the pending authority.
    pub fn accept_authority(&mut self, accepter: Pubkey) -> Result<(), LicensingError> {
        require!(self.pending_authority == Some(accepter), LicensingError::NotOffered);
        self.authority = accepter;
        self.pending_authority = None;
        Ok(())
    }
}

// The layout of existing accounts never changes.
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
    fn dispute_settings_have_bounds() {
        let disputes = |dispute_bond_lamports, dispute_seconds| {
            Config { dispute_bond_lamports, dispute_seconds, ..config() }.check(10)
        };
        for seconds in [86_399, 60 * 86_400 + 1] {
            assert_eq!(disputes(10, seconds), Err(LicensingError::InvalidDisputeLength));
        }
        assert_eq!(disputes(9, 86_400), Err(LicensingError::BondTooSmall));
        for seconds in [86_400, 60 * 86_400] {
            assert_eq!(disputes(10, seconds), Ok(()));
        }
    }

    #[test]
    fn only_pending_authority_accepts_once() {
        let (offered, other) = (Pubkey::new_from_array([2; 32]), Pubkey::new_from_array([3; 32]));
        let mut config = Config { pending_authority: Some(offered), ..config() };
        assert_eq!(config.accept_authority(other), Err(LicensingError::NotOffered));
        assert_eq!(config.accept_authority(offered), Ok(()));
        assert_eq!((config.authority, config.pending_authority), (offered, None));
        assert_eq!(config.accept_authority(offered), Err(LicensingError::NotOffered));
    }
}
