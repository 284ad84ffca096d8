use motif_sdk::acceptance::SaleAcceptance;

use crate::route::PaidRoute;

/// Time that clients have for a payment, seconds.
pub(crate) const PAY_SECONDS: i64 = 60;
/// Time for which an offer is made, seconds: the client pays, the answer is made, and the payment lands
/// within it.
pub(crate) const OFFER_SECONDS: i64 =
    PAY_SECONDS + PaidRoute::MAX_BEFORE_PAYMENT.as_secs().cast_signed() + LANDING_SECONDS;
/// Time before the end of an offer after which no payment is sent, seconds: longer than a blockhash is
/// valid, which is 150 blocks of 400 ms and more on a busy cluster.
pub(crate) const LANDING_SECONDS: i64 = 90;
/// Time for which offers of version 1 of x402 are equal, seconds.
const EQUAL_SECONDS: i64 = 60;

/// Returns the end of the offers of version 1 of x402 at a time. They are equal within a minute, because the
/// client does not repeat them.
pub(crate) fn not_after_v1(now: i64) -> i64 {
    now - now.rem_euclid(EQUAL_SECONDS) + OFFER_SECONDS + EQUAL_SECONDS
}

/// Returns the earliest time at which the offer of an acceptance can have been made.
pub(crate) fn earliest_offer(acceptance: &SaleAcceptance) -> i64 {
    // Offers of version 1 of x402 have no nonce.
    let equal = if acceptance.nonce == 0 { EQUAL_SECONDS } else { 0 };
    acceptance.not_after - OFFER_SECONDS - equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v1_offers_are_equal_within_a_minute() {
        assert_eq!(not_after_v1(120), not_after_v1(179));
        assert_eq!(not_after_v1(180), not_after_v1(120) + 60);
        for now in [120, 150, 179] {
            let left = not_after_v1(now) - now;
            assert!(left > OFFER_SECONDS && left <= OFFER_SECONDS + 60, "{left}");
        }
    }
}
