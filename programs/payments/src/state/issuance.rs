use anchor_lang::prelude::*;
use licensing::Caps;

use crate::error::PaymentsError;

/// What licenses of one version of terms have been handed of the caps they share.
///
/// Seeds: `["issuance", terms]`. Settlement reads neither works nor terms, so a cap that all
/// licensees share is cut into quotas at acceptance.
///
/// Always true: what is handed out never exceeds the terms' caps.
#[account]
#[derive(Debug, Default, InitSpace)]
pub struct Issuance {
    pub version: u8,
    pub bump: u8,
    pub terms: Pubkey,
    /// Units handed out under the cap on units in total.
    pub units: u64,
    /// Base units handed out under the cap on revenue.
    pub revenue: u64,
}

impl Issuance {
    pub const SEED: &'static [u8] = b"issuance";
    pub const VERSION: u8 = 1;
    pub const SPACE: usize = Self::DISCRIMINATOR.len() + Self::INIT_SPACE;

    /// Hands out a quota under each cap the terms have, or nothing at all.
    pub fn hand_out(&mut self, caps: &Caps, quota: Quota) -> Result<()> {
        self.units = handed_out(self.units, quota.units, caps.total_units)?;
        self.revenue = handed_out(self.revenue, quota.revenue, caps.revenue)?;
        Ok(())
    }

    /// Takes back what a license did not use.
    pub fn take_back(&mut self, left: Quota) -> Result<()> {
        let (units, revenue) =
            (self.units.checked_sub(left.units), self.revenue.checked_sub(left.revenue));
        self.units = units.ok_or(PaymentsError::Overflow)?;
        self.revenue = revenue.ok_or(PaymentsError::Overflow)?;
        Ok(())
    }
}

/// The part of shared caps that one license asks for; read only where the terms have the cap.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    pub units: u64,
    /// Base units of the currency.
    pub revenue: u64,
}

impl Quota {
    /// What of the quota counts: where a cap on the licensee is smaller, the rest is left to others.
    pub fn within(self, caps: &Caps) -> Self {
        Self { units: self.units.min(caps.licensee_units.unwrap_or(u64::MAX)), ..self }
    }

    /// The most base units the quota can come to at this price, by the caps the terms have.
    pub fn worth(&self, caps: &Caps, price: u64) -> u128 {
        let units = caps.total_units.map_or(0, |_| u128::from(self.units) * u128::from(price));
        let revenue = caps.revenue.map_or(0, |_| u128::from(self.revenue));
        units.max(revenue)
    }
}

fn handed_out(already: u64, quota: u64, cap: Option<u64>) -> Result<u64> {
    let Some(cap) = cap else { return Ok(already) };
    require!(quota > 0, PaymentsError::EmptyQuota);
    let total = already.checked_add(quota).ok_or(PaymentsError::QuotaExceedsCap)?;
    require!(total <= cap, PaymentsError::QuotaExceedsCap);
    Ok(total)
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Issuance::SPACE == 58);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_never_add_up_to_more_than_the_cap() {
        let caps = Caps { total_units: Some(10), ..Caps::default() };
        let mut issuance = Issuance::default();
        let quota = |units| Quota { units, revenue: 0 };
        assert_eq!(issuance.hand_out(&caps, quota(6)), Ok(()));
        let above = Err(PaymentsError::QuotaExceedsCap.into());
        assert_eq!(issuance.hand_out(&caps, quota(5)), above);
        assert_eq!(issuance.hand_out(&caps, quota(u64::MAX)), above);
        assert_eq!(issuance.hand_out(&caps, quota(4)), Ok(()));
        assert_eq!(issuance.units, 10);
    }

    #[test]
    fn what_is_taken_back_can_be_handed_out_again() {
        let caps = Caps { total_units: Some(10), revenue: Some(50), ..Caps::default() };
        let mut issuance = Issuance::default();
        assert_eq!(issuance.hand_out(&caps, Quota { units: 10, revenue: 50 }), Ok(()));
        assert_eq!(issuance.take_back(Quota { units: 4, revenue: 7 }), Ok(()));
        assert_eq!(issuance.hand_out(&caps, Quota { units: 4, revenue: 7 }), Ok(()));
        let too_much = issuance.take_back(Quota { units: 11, revenue: 0 });
        assert_eq!(too_much, Err(PaymentsError::Overflow.into()));
    }

    #[test]
    fn a_quota_is_worth_the_most_it_can_be_charged_for() {
        let quota = Quota { units: 6, revenue: 25 };
        let caps = |total_units, revenue| Caps { total_units, revenue, ..Caps::default() };
        assert_eq!(quota.worth(&caps(None, None), 10), 0);
        assert_eq!(quota.worth(&caps(Some(10), None), 10), 60);
        assert_eq!(quota.worth(&caps(None, Some(50)), 10), 25);
        assert_eq!(quota.worth(&caps(Some(10), Some(50)), 10), 60);
        let huge = Quota { units: u64::MAX, revenue: 0 };
        assert_eq!(huge.worth(&caps(Some(1), None), u64::MAX), u128::from(u64::MAX).pow(2));
    }

    #[test]
    fn zero_quota_is_rejected() {
        let caps = Caps { revenue: Some(10), ..Caps::default() };
        let refused = Issuance::default().hand_out(&caps, Quota::default());
        assert_eq!(refused, Err(PaymentsError::EmptyQuota.into()));
    }
}
