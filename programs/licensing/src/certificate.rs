//! Token Metadata certificate of a work, as wallets and marketplaces show it.

use anchor_lang::prelude::*;
use anchor_spl::metadata::mpl_token_metadata::types::Creator;
use motif_interface::licensing::{Share, Work};

/// Symbol of every certificate.
pub const SYMBOL: &str = "MOTIF";
/// Maximum length of a name in Token Metadata.
pub const MAX_NAME_BYTES: usize = 32;
/// Maximum number of creators in Token Metadata.
const MAX_CREATORS: usize = 5;

/// Returns the five largest recipients of the work's split as unverified creators, with percents
/// that add up to 100 by largest remainder. The work's creator is always among them: in the last
/// place, possibly with 0 percent, if it is not one of the five.
#[inline(never)] // a stack frame holds 4 KiB
pub fn creators(work: &Work) -> Vec<Creator> {
    let mut listed = Vec::with_capacity(MAX_CREATORS);
    let mut others = work.split.clone();
    while let Some(place) = largest(others.iter().map(|share| u32::from(share.share_bps))) {
        if listed.len() == MAX_CREATORS {
            break;
        }
        listed.push(others.remove(place));
    }
    if listed.iter().all(|share| share.recipient != work.creator) {
        let own = others.into_iter().find(|share| share.recipient == work.creator);
        listed.truncate(MAX_CREATORS - 1);
        listed.push(own.unwrap_or(Share { recipient: work.creator, share_bps: 0 }));
    }
    let shares = percents(&listed);
    let creator = |(listed, share): (&Share, u8)| Creator {
        address: listed.recipient,
        verified: false,
        share,
    };
    listed.iter().zip(shares).map(creator).collect()
}

/// Returns whole percents in proportion to the shares, adding up to 100: floors, plus one for the
/// largest remainders, the first ones first.
fn percents(listed: &[Share]) -> Vec<u8> {
    let total: u32 = listed.iter().map(|share| u32::from(share.share_bps)).sum();
    let total = total.max(1); // never 0: the largest shares of a split are above zero
    let scaled = listed.iter().map(|share| u32::from(share.share_bps) * 100);
    let mut percents: Vec<_> = scaled.clone().map(|share| (share / total) as u8).collect();
    let mut remainders: Vec<_> = scaled.map(|share| share % total).collect();
    let given: u32 = percents.iter().map(|percent| u32::from(*percent)).sum();
    for _ in given..100 {
        let Some(place) = largest(remainders.iter().copied()) else { break };
        percents[place] += 1;
        remainders[place] = 0; // fewer are missing than have one
    }
    percents
}

/// Returns the position of the largest value, the first of several equal ones.
fn largest(values: impl Iterator<Item = u32>) -> Option<usize> {
    let places = values.enumerate().map(|(place, value)| (value, std::cmp::Reverse(place)));
    places.max().map(|(_, place)| place.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(list: &[(u8, u16)]) -> Vec<Share> {
        let share = |&(recipient, share_bps): &(u8, u16)| Share {
            recipient: Pubkey::new_from_array([recipient; 32]),
            share_bps,
        };
        list.iter().map(share).collect()
    }

    fn percents_of(shares_bps: &[u16]) -> Vec<u8> {
        let list: Vec<_> = (1..).zip(shares_bps.iter().copied()).collect();
        percents(&shares(&list))
    }

    #[test]
    fn percents_follow_largest_remainder() {
        assert_eq!(percents_of(&[10_000]), [100]);
        assert_eq!(percents_of(&[3_333, 3_333, 3_334]), [33, 33, 34]);
        assert_eq!(percents_of(&[5_050, 4_950]), [51, 49]);
        assert_eq!(percents_of(&[9_999, 1]), [100, 0]);
        assert_eq!(percents_of(&[2_000; 5]), [20; 5]);
        assert_eq!(percents_of(&[328, 312, 312, 312, 0]), [26, 25, 25, 24, 0]);
    }
}
