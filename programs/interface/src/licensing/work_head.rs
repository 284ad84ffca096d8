use super::{Work, WorkKind, WorkStatus};
use crate::AccountError;

/// First fields of a work, at fixed offsets before everything of variable length. Reading them
/// is much cheaper than deserializing the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkHead {
    /// Kind of content.
    pub kind: WorkKind,
    /// Whether the work takes new licenses and derivatives.
    pub status: WorkStatus,
    /// Number of the latest terms; 0 before the first.
    pub latest_terms: u32,
    /// Number of changes of the split.
    pub split_version: u32,
    /// Split version that an upheld dispute set; 0 for none.
    pub verdict_version: u32,
    /// Number of disputes so far, an open one included.
    pub disputes: u32,
    /// Number of terms that the last upheld dispute skipped; 0 for none.
    pub verdict_terms: u32,
    /// Time of the withdrawal, unix seconds; `i64::MAX` if not withdrawn.
    pub withdrawn_at: i64,
}

impl WorkHead {
    /// Bytes at the front of a work's account that this reads.
    pub const SPACE: usize = 45;

    /// Reads the data of a work's account. The caller checks the account's owner.
    ///
    /// # Errors
    /// [`AccountError`] if the account is not a work.
    pub fn from_bytes(data: &[u8]) -> Result<Self, AccountError> {
        let bytes = data.first_chunk::<{ Self::SPACE }>().ok_or(AccountError::InvalidData)?;
        if !bytes.starts_with(Work::DISCRIMINATOR) {
            return Err(AccountError::DiscriminatorMismatch);
        }
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let (low, high) = (u64::from(number(37)), u64::from(number(41)));
        Ok(Self {
            kind: WorkKind::from_byte(bytes[10]).ok_or(AccountError::InvalidData)?,
            status: WorkStatus::from_byte(bytes[11]).ok_or(AccountError::InvalidData)?,
            latest_terms: number(12),
            split_version: number(16),
            verdict_version: number(20),
            disputes: number(24),
            verdict_terms: number(32),
            withdrawn_at: (high << 32 | low) as i64, // its bits, reinterpreted
        })
    }

    /// Returns the last second of a license that was accepted with expiry `expires_at` under terms
    /// of this number: a withdrawal ends it after its notice, and never extends it. The notice of
    /// terms from before a verdict is the minimum, because they were not the owner's.
    pub fn license_end(&self, expires_at: i64, terms_number: u32, notice_seconds: u32) -> i64 {
        let binding = terms_number >= self.verdict_terms;
        let notice_seconds = if binding { notice_seconds } else { 0 };
        let notice_seconds = i64::from(notice_seconds.max(Work::MIN_NOTICE_SECONDS));
        expires_at.min(self.withdrawn_at.saturating_add(notice_seconds))
    }
}

impl Work {
    /// Returns the fields at the front of the account.
    pub fn head(&self) -> WorkHead {
        WorkHead {
            kind: self.kind,
            status: self.status,
            latest_terms: self.latest_terms,
            split_version: self.split_version,
            verdict_version: self.verdict_version,
            disputes: self.disputes,
            verdict_terms: self.verdict_terms,
            withdrawn_at: self.withdrawn_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> WorkHead {
        WorkHead {
            kind: WorkKind::Voice,
            status: WorkStatus::Withdrawn,
            latest_terms: 0,
            split_version: 0,
            verdict_version: 0,
            disputes: 0,
            verdict_terms: 0,
            withdrawn_at: i64::MAX,
        }
    }

    #[test]
    fn withdrawal_ends_license_after_notice() {
        assert_eq!(head().license_end(i64::MAX, 1, u32::MAX), i64::MAX);
        let withdrawn = WorkHead { withdrawn_at: 1_000, ..head() };
        assert_eq!(withdrawn.license_end(i64::MAX, 1, 200_000), 201_000);
        assert_eq!(withdrawn.license_end(i64::MAX, 1, 0), 87_400, "a day at least");
        assert_eq!(withdrawn.license_end(2_000, 1, 200_000), 2_000);
    }

    #[test]
    fn verdict_shortens_notice_of_earlier_terms() {
        let judged = WorkHead { withdrawn_at: 1_000, verdict_terms: 3, ..head() };
        let ends = [1, 2, 4].map(|terms| judged.license_end(i64::MAX, terms, 200_000));
        assert_eq!(ends, [87_400, 87_400, 201_000]);
    }

    #[test]
    fn invalid_work_data_is_rejected() {
        assert_eq!(WorkHead::from_bytes(&[0; 44]), Err(AccountError::InvalidData));
        let other = AccountError::DiscriminatorMismatch;
        assert_eq!(WorkHead::from_bytes(&[0; 400]), Err(other));
        for byte in [10, 11] {
            let mut data = [0; 45];
            data[..8].copy_from_slice(Work::DISCRIMINATOR);
            assert!(WorkHead::from_bytes(&data).is_ok());
            data[byte] = 99;
            assert_eq!(WorkHead::from_bytes(&data), Err(AccountError::InvalidData));
        }
    }
}
