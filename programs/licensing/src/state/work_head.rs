use anchor_lang::prelude::*;

use super::{Work, WorkKind, WorkStatus};

/// The first fields of a work, which other programs decide by. Reading them costs nearly
/// nothing: they stand at the front of the account, before everything of variable length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkHead {
    pub kind: WorkKind,
    pub status: WorkStatus,
    pub latest_terms: u32,
    pub split_version: u32,
    /// Split version that an upheld dispute set; 0 for none.
    pub verdict_version: u32,
    /// While the work is disputed, the number of this dispute.
    pub disputes: u32,
    /// Unix seconds of the withdrawal; `i64::MAX` while there is none.
    pub withdrawn_at: i64,
}

impl WorkHead {
    /// Bytes of a work's account that this reads.
    pub const SPACE: usize = 40;

    /// Reads an account that has to be a work of this program.
    pub fn read(account: &AccountInfo) -> Result<Self> {
        require_keys_eq!(*account.owner, crate::ID, ErrorCode::AccountOwnedByWrongProgram);
        Self::from_bytes(&account.try_borrow_data()?)
    }

    /// Reads the data of a work's account.
    pub fn from_bytes(data: &[u8]) -> Result<Self> {
        let bytes = data.first_chunk::<{ Self::SPACE }>();
        let bytes = bytes.ok_or(ErrorCode::AccountDidNotDeserialize)?;
        let ours = bytes.starts_with(Work::DISCRIMINATOR);
        require!(ours, ErrorCode::AccountDiscriminatorMismatch);
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let (low, high) = (u64::from(number(32)), u64::from(number(36)));
        Ok(Self {
            kind: WorkKind::from_byte(bytes[10]).ok_or(ErrorCode::AccountDidNotDeserialize)?,
            status: WorkStatus::from_byte(bytes[11]).ok_or(ErrorCode::AccountDidNotDeserialize)?,
            latest_terms: number(12),
            split_version: number(16),
            verdict_version: number(20),
            disputes: number(24),
            withdrawn_at: (high << 32 | low) as i64, // its bits, reinterpreted
        })
    }

    /// The last second of a license that was accepted to end at `expires_at`: a withdrawal ends
    /// it earlier, but not before its notice.
    pub fn license_end(&self, expires_at: i64, notice_seconds: u32) -> i64 {
        let notice_seconds = i64::from(notice_seconds.max(Work::MIN_NOTICE_SECONDS));
        expires_at.min(self.withdrawn_at.saturating_add(notice_seconds))
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
            withdrawn_at: i64::MAX,
        }
    }

    #[test]
    fn a_withdrawal_ends_a_license_after_its_notice_and_never_lengthens_it() {
        assert_eq!(head().license_end(i64::MAX, u32::MAX), i64::MAX);
        let withdrawn = WorkHead { withdrawn_at: 1_000, ..head() };
        assert_eq!(withdrawn.license_end(i64::MAX, 200_000), 201_000);
        assert_eq!(withdrawn.license_end(i64::MAX, 0), 87_400, "a day at least");
        assert_eq!(withdrawn.license_end(2_000, 200_000), 2_000);
    }

    #[test]
    fn bytes_that_are_no_work_are_refused() {
        let short = ErrorCode::AccountDidNotDeserialize.into();
        assert_eq!(WorkHead::from_bytes(&[0; 39]), Err(short));
        let other = ErrorCode::AccountDiscriminatorMismatch.into();
        assert_eq!(WorkHead::from_bytes(&[0; 400]), Err(other));
        for byte in [10, 11] {
            let mut data = [0; 40];
            data[..8].copy_from_slice(Work::DISCRIMINATOR);
            assert!(WorkHead::from_bytes(&data).is_ok());
            data[byte] = 99;
            let unknown = ErrorCode::AccountDidNotDeserialize.into();
            assert_eq!(WorkHead::from_bytes(&data), Err(unknown));
        }
    }
}
