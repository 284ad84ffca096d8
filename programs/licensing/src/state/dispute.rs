use anchor_lang::prelude::*;

use super::WorkStatus;
use crate::error::LicensingError;

/// What the arbiter says about a claim. One byte in the instruction: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The work stays its owner's, who gets the bond.
    Rejected,
    /// The work is the claimant's.
    Upheld,
}

/// A claim that a work belongs to somebody else, with a bond behind it.
///
/// Seeds: `["dispute", work]`: one at a time for each work. The bond rests in this account.
/// A dispute that nobody decides by its deadline ends as if it had been rejected.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Dispute {
    pub version: u8,
    pub bump: u8,
    pub work: Pubkey,
    pub claimant: Pubkey,
    /// At stake, on top of the account's rent.
    pub bond_lamports: u64,
    /// Unix seconds on chain.
    pub opened_at: i64,
    /// Last unix second of a verdict.
    pub deadline: i64,
    /// What the work goes back to.
    pub status_before: WorkStatus,
    /// SHA-256 of what `evidence_uri` points to.
    pub evidence_digest: [u8; 32],
    pub evidence_uri: String,
}

impl Dispute {
    pub const SEED: &'static [u8] = b"dispute";
    pub const VERSION: u8 = 1;
    pub const MAX_URI_BYTES: usize = 200;

    /// Bytes of an account for evidence with so long a URI.
    pub const fn space(uri_bytes: usize) -> usize {
        8 + 2 + 32 + 32 + 8 + 8 + 8 + 1 + 32 + (4 + uri_bytes)
    }

    /// The arbiter's time has not run out: up to and including the deadline.
    pub fn require_decidable(&self, now: i64) -> Result<()> {
        require!(now <= self.deadline, LicensingError::DisputeOverdue);
        Ok(())
    }

    /// The arbiter's time has run out.
    pub fn require_overdue(&self, now: i64) -> Result<()> {
        require!(now > self.deadline, LicensingError::DisputeOpen);
        Ok(())
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Dispute::space(0) == 135);
const _: () = assert!(Dispute::space(Dispute::MAX_URI_BYTES) == 335);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_belongs_either_to_the_arbiter_or_to_anybody() {
        let dispute = Dispute {
            version: Dispute::VERSION,
            bump: 255,
            work: Pubkey::default(),
            claimant: Pubkey::default(),
            bond_lamports: 1,
            opened_at: 0,
            deadline: 10,
            status_before: WorkStatus::Active,
            evidence_digest: [0; 32],
            evidence_uri: "u".repeat(200),
        };
        for now in [i64::MIN, 9, 10] {
            assert_eq!(dispute.require_decidable(now), Ok(()));
            let open = LicensingError::DisputeOpen.into();
            assert_eq!(dispute.require_overdue(now), Err(open));
        }
        for now in [11, i64::MAX] {
            let overdue = LicensingError::DisputeOverdue.into();
            assert_eq!(dispute.require_decidable(now), Err(overdue));
            assert_eq!(dispute.require_overdue(now), Ok(()));
        }
        let mut bytes = Vec::new();
        dispute.try_serialize(&mut bytes).unwrap();
        assert_eq!(bytes.len(), Dispute::space(200));
    }
}
