//! Check that a channel can accept terms, before any money moves.

use motif_sdk::{
    Pubkey,
    bps::floor_share,
    channel::{Channel, PaymentsError, Quota},
    client::{Client, PublishedTerms},
    licensing::{Purpose, Terms, WorkStatus},
};

use crate::error::CliError;

/// What a channel brings to an acceptance.
pub struct Conditions {
    pub payer: Pubkey,
    pub operator: Pubkey,
    pub mint: Pubkey,
    pub operator_fee_bps: u16,
    /// Prices that are charged or earmarked already, base units without fees.
    pub prices: u64,
}

impl Conditions {
    /// Returns the conditions of an existing channel.
    pub fn of(channel: &Channel) -> Self {
        Self {
            payer: channel.payer,
            operator: channel.operator,
            mint: channel.mint,
            operator_fee_bps: channel.operator_fee_bps,
            prices: channel.prices.saturating_add(channel.earmarked),
        }
    }

    /// Returns a work's latest terms if the channel can accept them now, by the rules of
    /// `accept_terms`. `signed` states whether the work's owner signs the acceptance.
    ///
    /// # Errors
    /// [`CliError::NotAcceptable`]; [`motif_sdk::Error::NotFound`].
    pub async fn read(
        &self,
        client: &Client,
        work: &Pubkey,
        signed: bool,
    ) -> Result<PublishedTerms, CliError> {
        let account = client.work(work).await?;
        let published = client.terms(work, account.latest_terms).await?;
        let (terms, now) = (&published.terms, client.now().await?);
        let approved = signed || !terms.offer.approval_required || {
            let purpose = Purpose::License;
            let approval = client.approval(&published.address, &self.payer, purpose).await?;
            approval.is_some_and(|approval| {
                approval.holds(&published.address, &self.payer, purpose, &account.owner)
            })
        };
        let consented = account.consent.is_none_or(|consent| consent.valid_at(now));
        let rules = [
            (account.status == WorkStatus::Active, PaymentsError::WorkNotActive),
            (terms.valid_at(now), PaymentsError::TermsNotValidNow),
            (terms.currency == self.mint, PaymentsError::CurrencyMismatch),
            (terms.offer.allows_operator(&self.operator), PaymentsError::OperatorNotNamed),
            (consented, PaymentsError::ConsentEnded),
            (approved, PaymentsError::MissingApproval),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, error)) => Err(CliError::NotAcceptable { work: *work, error }),
            None => Ok(published),
        }
    }

    /// Adds a quota to the channel; returns its price with the operator's fee, base units.
    ///
    /// # Errors
    /// [`CliError::NotAcceptable`] if it exceeds the range of amounts.
    pub fn hold(&mut self, terms: &Terms, quota: Quota) -> Result<u64, CliError> {
        let refuse = |error| CliError::NotAcceptable { work: terms.work, error };
        let caps = &terms.offer.caps;
        if !caps.shared() {
            return Ok(0); // the program ignores the quota
        }
        let worth = quota.within(caps).worth(caps, terms.offer.quota_price()).map_err(refuse)?;
        let too_large = || refuse(PaymentsError::QuotaTooLarge);
        let before = self.with_fee(self.prices).ok_or_else(too_large)?;
        self.prices = self.prices.checked_add(worth).ok_or_else(too_large)?;
        let after = self.with_fee(self.prices).ok_or_else(too_large)?;
        Ok(after - before) // a total of floors never falls
    }

    fn with_fee(&self, prices: u64) -> Option<u64> {
        prices.checked_add(floor_share(prices, self.operator_fee_bps))
    }
}

#[cfg(test)]
mod tests {
    use motif_sdk::licensing::{Caps, Offer, Unit, Use, UsePrice};

    use super::*;

    fn terms(caps: Caps) -> Terms {
        let uses =
            vec![UsePrice { licensed_use: Use::Generate, unit: Unit::Generation, price: 500_000 }];
        Terms {
            version: Terms::VERSION,
            bump: 255,
            work: Pubkey::default(),
            number: 1,
            currency: Pubkey::default(),
            published_at: 0,
            offer: Offer { caps, ..Offer::new(uses) },
        }
    }

    fn conditions(prices: u64) -> Conditions {
        let key = Pubkey::default();
        Conditions { payer: key, operator: key, mint: key, operator_fee_bps: 200, prices }
    }

    #[test]
    fn quota_costs_its_price_and_fee() {
        let caps = Caps { total_units: Some(9), ..Caps::default() };
        let quota = Quota { units: 2, revenue: 0 };
        assert_eq!(conditions(0).hold(&terms(caps), quota).ok(), Some(1_020_000));
        // The fee on 49 base units rounds down to 0, and on both to the fee of the sum.
        assert_eq!(conditions(49).hold(&terms(caps), quota).ok(), Some(1_020_000));
        let unlimited = Quota { units: u64::MAX, revenue: 0 };
        assert!(conditions(0).hold(&terms(caps), unlimited).is_err());
    }

    #[test]
    fn quota_without_shared_cap_is_free() {
        let quota = Quota { units: 2, revenue: 7 };
        assert_eq!(conditions(0).hold(&terms(Caps::default()), quota).ok(), Some(0));
    }
}
