use solana_pubkey::Pubkey;

use super::{Config, LicensingError, WorkStatus};
use crate::{codec::*, require};

/// Arbiter's decision on a dispute. Its first byte in the instruction: append only.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The owner keeps the work and receives the bond.
    Rejected,
    /// The claimant becomes the owner and gets the award.
    Upheld(Award),
}

/// What an upheld claim awards to the claimant beside the ownership.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Award {
    /// Parents that stay, one bit each by position, lowest first. The work's own part takes the
    /// shares of the others.
    pub kept_parents: u8,
    /// Whether recipients other than the owner keep their shares of the split; the claimant then
    /// takes the owner's share only.
    pub keeps_recipients: bool,
}

impl Verdict {
    /// Upheld: the claimant becomes the only recipient, and all parents stay.
    pub const UPHELD: Self = Self::Upheld(Award { kept_parents: u8::MAX, keeps_recipients: false });
}

impl Award {
    /// Returns whether the parent at `position`, below [`MAX_PARENTS`](super::MAX_PARENTS), stays.
    pub fn keeps_parent(&self, position: usize) -> bool {
        self.kept_parents & (1 << position) != 0
    }
}

/// Claim to the ownership of a work, secured by a bond.
///
/// Seeds: `["dispute", work]`, so a work has at most one open dispute. The account holds the
/// bond. A dispute without a verdict by its deadline expires and counts as rejected.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Disputed work.
    pub work: Pubkey,
    /// Key that claims the work.
    pub claimant: Pubkey,
    /// Bond, in addition to the account's rent.
    pub bond_lamports: u64,
    /// On-chain time of the opening, unix seconds.
    pub opened_at: i64,
    /// Last unix second of a verdict.
    pub deadline: i64,
    /// Status of the work before the dispute.
    pub status_before: WorkStatus,
    /// SHA-256 of the document at `evidence_uri`.
    pub evidence_digest: [u8; 32],
    /// Location of the evidence.
    pub evidence_uri: String,
}

impl Dispute {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"dispute";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Maximum length of `evidence_uri`.
    pub const MAX_URI_BYTES: usize = 200;
    /// Time from the opening of a dispute to the first second in which it can be upheld: recipients
    /// and watchers see the claim, apply it to earnings and answer it. Less than
    /// [`Config::MIN_DISPUTE_SECONDS`].
    pub const HEARING_SECONDS: u32 = 43_200;

    /// Returns the bytes of an account with an evidence URI of `uri_bytes`.
    pub const fn space(uri_bytes: usize) -> usize {
        8 + 2 + 32 + 32 + 8 + 8 + 8 + 1 + 32 + (4 + uri_bytes)
    }

    /// Checks that the arbiter may decide so at `now`: up to and including the deadline, and only
    /// after the hearing if the claim is upheld.
    ///
    /// # Errors
    /// [`LicensingError::DisputeOverdue`], [`LicensingError::HearingOpen`].
    pub fn require_decidable(&self, verdict: &Verdict, now: i64) -> Result<(), LicensingError> {
        require!(now <= self.deadline, LicensingError::DisputeOverdue);
        let heard = self.opened_at.saturating_add(i64::from(Self::HEARING_SECONDS));
        let decidable = *verdict == Verdict::Rejected || now >= heard;
        require!(decidable, LicensingError::HearingOpen);
        Ok(())
    }

    /// Checks that the deadline has passed.
    ///
    /// # Errors
    /// [`LicensingError::DisputeOpen`].
    pub fn require_overdue(&self, now: i64) -> Result<(), LicensingError> {
        require!(now > self.deadline, LicensingError::DisputeOpen);
        Ok(())
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(Dispute::space(0) == 135);
const _: () = assert!(Dispute::space(Dispute::MAX_URI_BYTES) == 335);
const _: () = assert!(Dispute::HEARING_SECONDS < Config::MIN_DISPUTE_SECONDS);

#[cfg(test)]
mod tests {
    use super::*;

    fn dispute() -> Dispute {
        Dispute {
            version: Dispute::VERSION,
            bump: 255,
            work: Pubkey::default(),
            claimant: Pubkey::default(),
            bond_lamports: 1,
            opened_at: 0,
            deadline: 86_400,
            status_before: WorkStatus::Active,
            evidence_digest: [0; 32],
            evidence_uri: "u".repeat(200),
        }
    }

    #[test]
    fn deadline_separates_verdict_from_expiry() {
        let dispute = dispute();
        for now in [i64::MIN, 86_399, 86_400] {
            assert_eq!(dispute.require_decidable(&Verdict::Rejected, now), Ok(()));
            let open = LicensingError::DisputeOpen;
            assert_eq!(dispute.require_overdue(now), Err(open));
        }
        for now in [86_401, i64::MAX] {
            for verdict in [Verdict::Rejected, Verdict::UPHELD] {
                let overdue = LicensingError::DisputeOverdue;
                assert_eq!(dispute.require_decidable(&verdict, now), Err(overdue));
            }
            assert_eq!(dispute.require_overdue(now), Ok(()));
        }
        let bytes = borsh::to_vec(&dispute).unwrap();
        assert_eq!(8 + bytes.len(), Dispute::space(200));
    }

    #[test]
    fn claim_is_upheld_after_hearing() {
        let dispute = dispute();
        for now in [i64::MIN, 0, 43_199] {
            let open = Err(LicensingError::HearingOpen);
            assert_eq!(dispute.require_decidable(&Verdict::UPHELD, now), open);
        }
        for now in [43_200, 86_400] {
            assert_eq!(dispute.require_decidable(&Verdict::UPHELD, now), Ok(()));
        }
    }

    #[test]
    fn award_keeps_parents_by_bit() {
        let award = Award { kept_parents: 0b1000_0101, keeps_recipients: false };
        let kept: Vec<_> = (0..8).filter(|&position| award.keeps_parent(position)).collect();
        assert_eq!(kept, [0, 2, 7]);
    }
}
