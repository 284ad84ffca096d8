use anchor_lang::prelude::*;
use licensing::{
    Work,
    bps::{WHOLE_BPS, floor_share},
};

use crate::error::PaymentsError;

/// A parent's part of everything a work earns.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct ParentPart {
    pub work: Pubkey,
    pub share_bps: u16,
    /// Base units the parent has pulled.
    pub taken: u64,
}

/// A recipient's part of what the parents leave.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct RecipientPart {
    pub recipient: Pubkey,
    pub share_bps: u16,
    /// Base units it was entitled to when the present split began.
    pub entitled_before: u64,
    /// Base units it has claimed.
    pub taken: u64,
}

/// What a work has earned in one currency, ever, and who has taken what of it.
///
/// Seeds: `["earnings", work, mint]`.
///
/// Always true: what parents and recipients are entitled to, and so what they have taken, adds
/// up to at most `earned`. Every entitlement is a floor of a growing total: it never falls, and
/// all of them together leave less than one base unit a party.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Earnings {
    pub version: u8,
    pub bump: u8,
    pub work: Pubkey,
    pub mint: Pubkey,
    /// Base units of `mint`.
    pub earned: u64,
    /// `earned` when the present split began.
    pub earned_before: u64,
    /// Which version of the work's split `recipients` is.
    pub split_version: u32,
    pub parents: Vec<ParentPart>,
    pub recipients: Vec<RecipientPart>,
}

impl Earnings {
    pub const SEED: &'static [u8] = b"earnings";
    pub const VERSION: u8 = 1;
    /// Where these stand in the account, for filters.
    pub const WORK_OFFSET: usize = 10;
    pub const MINT_OFFSET: usize = 42;

    /// Bytes of an account for a work with so many parents and recipients.
    pub const fn space(parents: usize, recipients: usize) -> usize {
        let lists = (4 + parents * 42) + (4 + recipients * 50);
        8 + 2 + 64 + 8 + 8 + 4 + lists
    }

    /// An account for `work`, which has earned nothing yet.
    pub fn new(work: &Account<Work>, mint: Pubkey, bump: u8) -> Self {
        let parents = work.parents.iter().map(|parent| ParentPart {
            work: parent.work,
            share_bps: parent.share_bps,
            taken: 0,
        });
        let recipients = work.split.iter().map(|share| RecipientPart {
            recipient: share.recipient,
            share_bps: share.share_bps,
            entitled_before: 0,
            taken: 0,
        });
        Self {
            version: Self::VERSION,
            bump,
            work: work.key(),
            mint,
            earned: 0,
            earned_before: 0,
            split_version: work.split_version,
            parents: parents.collect(),
            recipients: recipients.collect(),
        }
    }

    /// Adds to what the work has earned.
    pub fn credit(&mut self, amount: u64) -> Result<()> {
        self.earned = self.earned.checked_add(amount).ok_or(PaymentsError::Overflow)?;
        Ok(())
    }

    /// Everything `parent` is entitled to and has not pulled, which is now pulled.
    pub fn pull(&mut self, parent: &Pubkey) -> Result<u64> {
        let earned = self.earned;
        let part = self.parents.iter_mut().find(|part| part.work == *parent);
        let part = part.ok_or(PaymentsError::NotAParent)?;
        let new = floor_share(earned, part.share_bps) - part.taken; // floors never fall
        require!(new > 0, PaymentsError::NothingToClaim);
        part.taken += new;
        Ok(new)
    }

    /// Everything `recipient` is entitled to and has not claimed, which is now claimed.
    pub fn claim(&mut self, recipient: &Pubkey) -> Result<u64> {
        let position = self.recipients.iter().position(|part| part.recipient == *recipient);
        let position = position.ok_or(PaymentsError::NotARecipient)?;
        let new = self.entitled(position)? - self.recipients[position].taken;
        require!(new > 0, PaymentsError::NothingToClaim);
        self.recipients[position].taken += new;
        Ok(new)
    }

    /// Base units the recipient at `position` is entitled to, ever.
    ///
    /// `entitled_before + floor((earned - earned_before) * own part * share)`.
    pub fn entitled(&self, position: usize) -> Result<u64> {
        let part = self.recipients.get(position).ok_or(PaymentsError::NotARecipient)?;
        let parents_bps: u16 = self.parents.iter().map(|parent| parent.share_bps).sum();
        let own_bps = u128::from(WHOLE_BPS - parents_bps); // at most the whole, from the work
        let since = u128::from(self.earned - self.earned_before);
        let whole = u128::from(WHOLE_BPS);
        let share = since * own_bps * u128::from(part.share_bps) / (whole * whole);
        let share = share as u64; // at most `since`
        part.entitled_before.checked_add(share).ok_or_else(|| error!(PaymentsError::Overflow))
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Earnings::space(0, 1) == 152);
const _: () = assert!(Earnings::space(8, 32) == 2_038);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn earnings(parents_bps: &[u16], split_bps: &[u16]) -> Earnings {
        let parent = |(number, bps): (usize, &u16)| ParentPart {
            work: key(number as u8 + 100),
            share_bps: *bps,
            taken: 0,
        };
        let recipient = |(number, bps): (usize, &u16)| RecipientPart {
            recipient: key(number as u8),
            share_bps: *bps,
            entitled_before: 0,
            taken: 0,
        };
        Earnings {
            version: Earnings::VERSION,
            bump: 255,
            work: key(200),
            mint: key(201),
            earned: 0,
            earned_before: 0,
            split_version: 0,
            parents: parents_bps.iter().enumerate().map(parent).collect(),
            recipients: split_bps.iter().enumerate().map(recipient).collect(),
        }
    }

    #[test]
    fn parents_are_paid_before_the_split() {
        let mut earnings = earnings(&[2_000], &[5_000, 5_000]);
        earnings.credit(1_001).unwrap();
        assert_eq!(earnings.pull(&key(100)), Ok(200));
        assert_eq!(earnings.claim(&key(0)), Ok(400));
        assert_eq!(earnings.claim(&key(1)), Ok(400));
    }

    #[test]
    fn many_small_credits_pay_exactly_what_one_large_one_pays() {
        let split = [3_333, 3_333, 3_334];
        let (mut small, mut large) = (earnings(&[1_111], &split), earnings(&[1_111], &split));
        let mut paid = [0; 3];
        for _ in 0..1_000 {
            small.credit(7).unwrap();
            for (number, paid) in (0..).zip(&mut paid) {
                *paid += small.claim(&key(number)).unwrap_or(0);
            }
        }
        large.credit(7_000).unwrap();
        let at_once = [0, 1, 2].map(|number| large.claim(&key(number)).unwrap());
        assert_eq!(paid, at_once);
    }

    #[test]
    fn nothing_is_paid_twice_or_to_strangers() {
        let mut earnings = earnings(&[2_000], &[10_000]);
        earnings.credit(100).unwrap();
        assert_eq!(earnings.claim(&key(0)), Ok(80));
        assert_eq!(earnings.claim(&key(0)), Err(PaymentsError::NothingToClaim.into()));
        assert_eq!(earnings.claim(&key(9)), Err(PaymentsError::NotARecipient.into()));
        assert_eq!(earnings.pull(&key(9)), Err(PaymentsError::NotAParent.into()));
    }

    #[test]
    fn the_largest_amount_is_shared_out_without_overflow() {
        let mut earnings = earnings(&[1], &[1, 9_999]);
        earnings.credit(u64::MAX).unwrap();
        assert_eq!(earnings.credit(1), Err(PaymentsError::Overflow.into()));
        let taken = [earnings.pull(&key(100)), earnings.claim(&key(0)), earnings.claim(&key(1))]
            .map(|part| u128::from(part.unwrap()));
        let dust = u128::from(u64::MAX) - taken.iter().sum::<u128>();
        assert!(dust < 3);
    }

    #[test]
    fn the_largest_earnings_fill_exactly_the_space_they_ask_for() {
        let mut bytes = Vec::new();
        earnings(&[1; 8], &[1; 32]).try_serialize(&mut bytes).unwrap();
        assert_eq!(bytes.len(), Earnings::space(8, 32));
        assert_eq!(bytes[Earnings::WORK_OFFSET..][..32], [200; 32]);
        assert_eq!(bytes[Earnings::MINT_OFFSET..][..32], [201; 32]);
    }
}
