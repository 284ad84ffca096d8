use anchor_lang::prelude::*;
use licensing::Caps;

use crate::error::PaymentsError;

/// What licences of one version of terms have been handed of the caps they share.
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
}

/// The part of shared caps that one licence asks for; read only where the terms have the cap.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    pub units: u64,
    /// Base units of the currency.
    pub revenue: u64,
}

fn handed_out(already: u64, quota: u64, cap: Option<u64>) -> Result<u64> {
    let Some(cap) = cap else { return Ok(already) };
    require!(quota > 0, PaymentsError::EmptyQuota);
    let total = already.checked_add(quota).ok_or(PaymentsError::QuotaAboveCap)?;
    require!(total <= cap, PaymentsError::QuotaAboveCap);
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
        let above = Err(PaymentsError::QuotaAboveCap.into());
        assert_eq!(issuance.hand_out(&caps, quota(5)), above);
        assert_eq!(issuance.hand_out(&caps, quota(u64::MAX)), above);
        assert_eq!(issuance.hand_out(&caps, quota(4)), Ok(()));
        assert_eq!(issuance.units, 10);
    }

    #[test]
    fn a_quota_of_nothing_is_refused_where_there_is_a_cap() {
        let caps = Caps { revenue: Some(10), ..Caps::default() };
        let refused = Issuance::default().hand_out(&caps, Quota::default());
        assert_eq!(refused, Err(PaymentsError::EmptyQuota.into()));
    }
}
