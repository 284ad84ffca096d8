use solana_pubkey::Pubkey;

use super::PaymentsError;
use crate::{codec::*, licensing::Caps, require};

/// Quotas issued of the caps that licenses of one version of terms share.
///
/// Seeds: `["issuance", terms]`. Settlement reads neither works nor terms, so a shared cap is
/// divided into quotas at acceptance.
///
/// Invariant: the quotas never exceed the terms' caps.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, Default)]
pub struct Issuance {
    /// Layout version; 0 before the first quota.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Terms account with the caps.
    pub terms: Pubkey,
    /// Units issued of the cap on total units.
    pub units: u64,
    /// Base units issued of the cap on revenue.
    pub revenue: u64,
}

impl Issuance {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"issuance";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes of the account.
    pub const SPACE: usize = 8 + 2 + 32 + 8 + 8;

    /// Issues a quota of each cap that the terms have. The account is unchanged on error.
    ///
    /// # Errors
    /// [`PaymentsError::EmptyQuota`], [`PaymentsError::QuotaExceedsCap`].
    pub fn issue(&mut self, caps: &Caps, quota: Quota) -> Result<(), PaymentsError> {
        let units = issued(self.units, quota.units, caps.total_units)?;
        let revenue = issued(self.revenue, quota.revenue, caps.revenue)?;
        (self.units, self.revenue) = (units, revenue);
        Ok(())
    }

    /// Releases the unused quota of a license.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`] if it exceeds the issued total.
    pub fn release(&mut self, left: Quota) -> Result<(), PaymentsError> {
        let (units, revenue) =
            (self.units.checked_sub(left.units), self.revenue.checked_sub(left.revenue));
        self.units = units.ok_or(PaymentsError::Overflow)?;
        self.revenue = revenue.ok_or(PaymentsError::Overflow)?;
        Ok(())
    }
}

/// Part of the shared caps that one license requests. A value counts only if the terms have its
/// cap.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Units of the cap on total units.
    pub units: u64,
    /// Base units of the cap on revenue.
    pub revenue: u64,
}

impl Quota {
    /// Returns the quota limited by the cap per licensee; the rest stays available to others.
    pub fn within(self, caps: &Caps) -> Self {
        Self { units: self.units.min(caps.licensee_units.unwrap_or(u64::MAX)), ..self }
    }

    /// Returns the amount to earmark for the quota, base units without the operator's fee. Each unit
    /// counts at `unit_price`, so that a cap is held only with the money to use it.
    ///
    /// # Errors
    /// [`PaymentsError::QuotaTooLarge`].
    pub fn worth(&self, caps: &Caps, unit_price: u64) -> Result<u64, PaymentsError> {
        let units = caps.total_units.map_or(Some(0), |_| self.units.checked_mul(unit_price));
        let units = units.ok_or(PaymentsError::QuotaTooLarge)?;
        let revenue = caps.revenue.map_or(0, |_| self.revenue);
        // The largest number stands for no limit in a license.
        let worth = units.max(revenue);
        require!(worth < u64::MAX, PaymentsError::QuotaTooLarge);
        Ok(worth)
    }
}

fn issued(already: u64, quota: u64, cap: Option<u64>) -> Result<u64, PaymentsError> {
    let Some(cap) = cap else { return Ok(already) };
    require!(quota > 0, PaymentsError::EmptyQuota);
    let total = already.checked_add(quota).ok_or(PaymentsError::QuotaExceedsCap)?;
    require!(total <= cap, PaymentsError::QuotaExceedsCap);
    Ok(total)
}

// The layout of existing accounts never changes.
const _: () = assert!(Issuance::SPACE == 58);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_never_exceed_the_cap() {
        let caps = Caps { total_units: Some(10), ..Caps::default() };
        let mut issuance = Issuance::default();
        let quota = |units| Quota { units, revenue: 0 };
        assert_eq!(issuance.issue(&caps, quota(6)), Ok(()));
        let above = Err(PaymentsError::QuotaExceedsCap);
        assert_eq!(issuance.issue(&caps, quota(5)), above);
        assert_eq!(issuance.issue(&caps, quota(u64::MAX)), above);
        assert_eq!(issuance.issue(&caps, quota(4)), Ok(()));
        assert_eq!(issuance.units, 10);
    }

    #[test]
    fn released_quota_can_be_issued_again() {
        let caps = Caps { total_units: Some(10), revenue: Some(50), ..Caps::default() };
        let mut issuance = Issuance::default();
        assert_eq!(issuance.issue(&caps, Quota { units: 10, revenue: 50 }), Ok(()));
        assert_eq!(issuance.release(Quota { units: 4, revenue: 7 }), Ok(()));
        assert_eq!(issuance.issue(&caps, Quota { units: 4, revenue: 7 }), Ok(()));
        let too_much = issuance.release(Quota { units: 11, revenue: 0 });
        assert_eq!(too_much, Err(PaymentsError::Overflow));
    }

    #[test]
    fn quota_worth_is_its_maximum_price() {
        let quota = Quota { units: 6, revenue: 25 };
        let caps = |total_units, revenue| Caps { total_units, revenue, ..Caps::default() };
        assert_eq!(quota.worth(&caps(None, None), 10), Ok(0));
        assert_eq!(quota.worth(&caps(Some(10), None), 10), Ok(60));
        assert_eq!(quota.worth(&caps(None, Some(50)), 10), Ok(25));
        assert_eq!(quota.worth(&caps(Some(10), Some(50)), 10), Ok(60));
    }

    #[test]
    fn unpayable_quota_is_rejected() {
        let too_large = Err(PaymentsError::QuotaTooLarge);
        let units = Caps { total_units: Some(u64::MAX), ..Caps::default() };
        let quota = Quota { units: u64::MAX / 2 + 1, revenue: 0 };
        assert_eq!(quota.worth(&units, 2), too_large);
        assert_eq!(quota.worth(&units, 1), Ok(u64::MAX / 2 + 1));
        let revenue = Caps { revenue: Some(u64::MAX), ..Caps::default() };
        let quota = Quota { units: 0, revenue: u64::MAX };
        assert_eq!(quota.worth(&revenue, 1), too_large);
    }

    #[test]
    fn empty_quota_is_rejected() {
        let caps = Caps { revenue: Some(10), ..Caps::default() };
        let refused = Issuance::default().issue(&caps, Quota::default());
        assert_eq!(refused, Err(PaymentsError::EmptyQuota));
    }
}
