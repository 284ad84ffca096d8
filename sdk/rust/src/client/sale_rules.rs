use solana_pubkey::Pubkey;

use super::PublishedTerms;
use crate::{
    channel::Use,
    licensing::{Dispute, Work},
    till::TillShares,
};

/// Returns what prevents a sale of a work at `time`. In the second of a withdrawal or of a dispute's
/// opening the order is unknown: that second counts as after it.
pub fn sale_obstacle(work: &Work, dispute: Option<&Dispute>, time: i64) -> Option<&'static str> {
    let rules = [
        (time >= work.withdrawn_at, "it is withdrawn"),
        (dispute.is_some_and(|dispute| time >= dispute.opened_at), "it is disputed"),
        (work.consent.is_some_and(|consent| !consent.valid_at(time)), "its consent has ended"),
    ];
    rules.into_iter().find(|(holds, _)| *holds).map(|(_, reason)| reason)
}

/// Returns the price of one unit if the terms sell units of a use to any payer of the till at
/// `now`, or what prevents it.
pub fn sale_price(
    published: &PublishedTerms,
    shares: &TillShares,
    mint: &Pubkey,
    licensed_use: Use,
    units: u32,
    now: i64,
) -> Result<u64, &'static str> {
    let (terms, offer) = (&published.terms, &published.terms.offer);
    let units = u64::from(units);
    let above = |cap: Option<u64>| cap.is_some_and(|cap| units > cap);
    let caps = [offer.caps.daily_units, offer.caps.licensee_units, offer.caps.total_units];
    let price = terms.price_of(licensed_use).map(|price| price.price);
    let rules = [
        (terms.currency == *mint, "its terms are in another currency"),
        (now >= terms.published_at, "its terms are not published yet"),
        (terms.valid_at(now), "its terms are not valid now"),
        (!offer.approval_required, "its terms need an approval"),
        (offer.upfront_fee == 0, "its terms have an upfront fee"),
        (offer.allows_operator(&shares.operator), "its terms name other operators"),
        (units > 0, "a sale needs at least 1 unit"),
        (!caps.into_iter().any(above), "its terms cap the units"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, reason)) => Err(*reason),
        None => price.ok_or("its terms do not license this use"),
    }
}

/// Returns the least payment to a till by which the work with `parts` gets `units` times `price`, base
/// units; `None` above 2^64 - 1.
pub fn sale_amount(shares: &TillShares, parts: u32, price: u64, units: u32) -> Option<u64> {
    let price = u128::from(price) * u128::from(units);
    let least = price.checked_mul(shares.total_parts().into())?.div_ceil(parts.max(1).into());
    u64::try_from(least).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::TillShare;

    #[test]
    fn amount_pays_the_works_price() {
        let [work, operator] = [[1; 32], [2; 32]].map(Pubkey::new_from_array);
        let shares = |operator_parts| {
            let works = vec![TillShare { work, parts: 10_000 }];
            TillShares::new(works, Some((operator, operator_parts)))
        };
        for (fee_bps, price, units, amount) in
            [(200, 100, 1, 102), (200, 101, 3, 310), (1, 1, 1, 2), (5_000, 7, 2, 21)]
        {
            let shares = shares(fee_bps);
            let parts = shares.works[0].parts;
            assert_eq!(sale_amount(&shares, parts, price, units), Some(amount));
            assert!(shares.part_of(amount, parts) >= price * u64::from(units));
            assert!(shares.part_of(amount - 1, parts) < price * u64::from(units));
        }
        assert_eq!(sale_amount(&TillShares::sole(work), 1, 7, 3), Some(21));
        assert_eq!(sale_amount(&shares(200), 50, u64::MAX, u32::MAX), None);
    }
}
