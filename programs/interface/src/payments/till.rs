use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::PaymentsError;
use crate::{codec::*, require};

/// Receiver of plain token transfers, such as x402 payments or royalties, for 1 to 8 works and an
/// operator.
///
/// Seeds: `["till", operator, mint, SHA-256 of the shares]`, so that one division has one till, which
/// anyone finds. Its associated token account holds the tokens until a sweep moves them to the
/// works' earnings and the operator's fee owner.
///
/// Each party is paid the floor of its share of everything ever received, less what it was paid:
/// many sweeps pay what one would.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Till {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Mint of the tokens.
    pub mint: Pubkey,
    /// Base units swept to the operator's fee owner since opening.
    pub operator_paid: u64,
    /// Base units swept to the works' earnings since opening, by work.
    pub works_paid: Vec<u64>,
    /// Division of what the till receives.
    pub shares: TillShares,
}

/// Division of a till's tokens.
///
/// Parts are in lowest terms and works in ascending order, so that a division has one form.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct TillShares {
    /// Authority of the operator; zeros without one.
    pub operator: Pubkey,
    /// Parts of the operator; 0 without one.
    pub operator_parts: u32,
    /// Parts of the works.
    pub works: Vec<TillShare>,
}

/// Parts of one work in a till.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TillShare {
    /// Work whose earnings receive the tokens.
    pub work: Pubkey,
    /// Parts, above zero.
    pub parts: u32,
}

/// Base units that a sweep moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// To the works' earnings, by work.
    pub works: Vec<u64>,
    /// To the operator's fee owner.
    pub operator: u64,
}

impl Sweep {
    /// Returns the sum of the works' amounts, base units.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn works_total(&self) -> Result<u64, PaymentsError> {
        sum(self.works.iter().copied())
    }
}

impl TillShares {
    /// Maximum number of works.
    pub const MAX_WORKS: usize = 8;

    /// Creates the division that gives everything to one work.
    pub fn sole(work: Pubkey) -> Self {
        Self {
            operator: Pubkey::default(),
            operator_parts: 0,
            works: vec![TillShare { work, parts: 1 }],
        }
    }

    /// Creates the one form of a division: sorts the works and reduces the parts to lowest terms.
    /// `operator` is an authority and its parts.
    pub fn new(mut works: Vec<TillShare>, operator: Option<(Pubkey, u32)>) -> Self {
        works.sort_by_key(|share| share.work);
        let (operator, operator_parts) = operator.unwrap_or_default();
        let mut shares = Self { operator, operator_parts, works };
        let divisor = shares.divisor().max(1);
        shares.operator_parts /= divisor;
        shares.works.iter_mut().for_each(|share| share.parts /= divisor);
        shares
    }

    /// Checks that the division has its one form.
    ///
    /// # Errors
    /// [`PaymentsError::InvalidTillShares`].
    pub fn check(&self) -> Result<(), PaymentsError> {
        let count = (1..=Self::MAX_WORKS).contains(&self.works.len());
        let ascending = self.works.windows(2).all(|pair| pair[0].work < pair[1].work);
        let shared = self.works.iter().all(|share| share.parts > 0);
        let operated = (self.operator == Pubkey::default()) == (self.operator_parts == 0);
        let valid = count && ascending && shared && operated && self.divisor() == 1;
        require!(valid, PaymentsError::InvalidTillShares);
        Ok(())
    }

    /// Returns the digest in the till's address: SHA-256 of the operator's parts (u32) and each
    /// work (32) with its parts (u32), little-endian.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(4 + 36 * self.works.len());
        bytes.extend_from_slice(&self.operator_parts.to_le_bytes());
        for share in &self.works {
            bytes.extend_from_slice(share.work.as_ref());
            bytes.extend_from_slice(&share.parts.to_le_bytes());
        }
        hash(&bytes).to_bytes()
    }

    /// Returns the work if the till has one, or the digest of several: what an acceptance names.
    pub fn subject(&self) -> [u8; 32] {
        match self.works.as_slice() {
            [sole] => sole.work.to_bytes(),
            _ => self.digest(),
        }
    }

    /// Returns the sum of all parts.
    pub fn total_parts(&self) -> u64 {
        let works = self.works.iter().map(|share| u64::from(share.parts)).sum::<u64>();
        works + u64::from(self.operator_parts) // 9 times 32 bits fit
    }

    /// Returns the floor of `parts` of an amount, base units.
    pub fn part_of(&self, amount: u64, parts: u32) -> u64 {
        let part = u128::from(amount) * u128::from(parts) / u128::from(self.total_parts().max(1));
        part as u64 // at most `amount`
    }

    /// Returns the greatest common divisor of all parts.
    fn divisor(&self) -> u32 {
        self.works.iter().fold(self.operator_parts, |divisor, share| gcd(divisor, share.parts))
    }
}

impl Till {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"till";
    /// Current layout version.
    pub const VERSION: u8 = 1;

    /// Returns the bytes of the account of a till for `works`.
    pub const fn space(works: usize) -> usize {
        8 + 2 + 32 + 8 + (4 + works * 8) + 32 + 4 + (4 + works * 36)
    }

    /// Creates an empty till.
    pub fn new(bump: u8, mint: Pubkey, shares: TillShares) -> Self {
        let works_paid = vec![0; shares.works.len()];
        Self { version: Self::VERSION, bump, mint, operator_paid: 0, works_paid, shares }
    }

    /// Returns the base units swept since opening.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn swept(&self) -> Result<u64, PaymentsError> {
        sum(self.works_paid.iter().copied().chain([self.operator_paid]))
    }

    /// Records a sweep of a till that holds `balance` base units, and returns what it moves. Without
    /// `to_operator` the operator's part stays in the till.
    ///
    /// # Errors
    /// [`PaymentsError::EmptyTill`] if no party is owed a base unit, [`PaymentsError::Overflow`].
    pub fn sweep(&mut self, balance: u64, to_operator: bool) -> Result<Sweep, PaymentsError> {
        let received = self.swept()?.checked_add(balance).ok_or(PaymentsError::Overflow)?;
        let shares = &self.shares;
        let mut works = Vec::with_capacity(shares.works.len());
        for (share, paid) in shares.works.iter().zip(&mut self.works_paid) {
            let entitled = shares.part_of(received, share.parts);
            works.push(entitled - *paid); // entitlements never fall
            *paid = entitled;
        }
        let mut operator = 0;
        if to_operator {
            let entitled = shares.part_of(received, shares.operator_parts);
            operator = entitled - self.operator_paid; // entitlements never fall
            self.operator_paid = entitled;
        }
        let sweep = Sweep { works, operator };
        require!(sweep.works_total()? > 0 || operator > 0, PaymentsError::EmptyTill);
        Ok(sweep)
    }
}

fn sum(mut amounts: impl Iterator<Item = u64>) -> Result<u64, PaymentsError> {
    let sum = amounts.try_fold(0, u64::checked_add);
    sum.ok_or(PaymentsError::Overflow)
}

fn gcd(one: u32, other: u32) -> u32 {
    let (mut one, mut other) = (one, other);
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

// The layout of existing accounts never changes.
const _: () = assert!(Till::space(1) == 138);
const _: () = assert!(Till::space(TillShares::MAX_WORKS) == 446);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn share(number: u8, parts: u32) -> TillShare {
        TillShare { work: key(number), parts }
    }

    fn till(works: &[u32], operator: u32) -> Till {
        let works = (1..).zip(works).map(|(number, parts)| share(number, *parts)).collect();
        let operator = (operator > 0).then_some((key(99), operator));
        let shares = TillShares::new(works, operator);
        assert_eq!(shares.check(), Ok(()));
        Till::new(255, key(100), shares)
    }

    #[test]
    fn division_has_one_form() {
        let one = TillShares::new(vec![share(2, 20), share(1, 40)], Some((key(9), 60)));
        let other = TillShares::new(vec![share(1, 2), share(2, 1)], Some((key(9), 3)));
        assert_eq!(one, other);
        assert_eq!(one.digest(), other.digest());
        assert_eq!(TillShares::new(vec![share(1, 7)], None), TillShares::sole(key(1)));
    }

    #[test]
    fn other_forms_are_rejected() {
        let good = TillShares::new(vec![share(1, 2), share(2, 1)], Some((key(9), 3)));
        let refused = |change: fn(&mut TillShares)| {
            let mut shares = good.clone();
            change(&mut shares);
            assert_eq!(shares.check(), Err(PaymentsError::InvalidTillShares));
        };
        refused(|shares| shares.works.clear());
        refused(|shares| shares.works.swap(0, 1));
        refused(|shares| shares.works[1].work = shares.works[0].work);
        refused(|shares| shares.works[0].parts = 0);
        refused(|shares| shares.operator_parts = 0);
        refused(|shares| shares.operator = Pubkey::default());
        refused(|shares| {
            shares.works[0].parts = 6;
            shares.works[1].parts = 3;
        });
        refused(|shares| shares.works = (0..9).map(|number| share(number, 1)).collect());
    }

    #[test]
    fn digest_binds_order_and_parts() {
        let digest = |works: &[TillShare], parts| {
            let works = works.to_vec();
            TillShares { operator: key(9), operator_parts: parts, works }.digest()
        };
        let own = digest(&[share(1, 2), share(2, 1)], 3);
        for other in [
            digest(&[share(2, 1), share(1, 2)], 3),
            digest(&[share(1, 1), share(2, 2)], 3),
            digest(&[share(1, 2), share(2, 1)], 4),
            digest(&[share(1, 2)], 3),
        ] {
            assert_ne!(own, other);
        }
    }

    #[test]
    fn many_sweeps_pay_what_one_pays() {
        let amounts = [1, 1, 3, 7, 10_000, 1, 99, 12_345];
        let (mut often, mut once) = (till(&[3, 5, 7], 2), till(&[3, 5, 7], 2));
        let (mut balance, mut total) = (0, 0);
        for amount in amounts {
            (balance, total) = (balance + amount, total + amount);
            let before = often.clone();
            match often.sweep(balance, true) {
                Ok(sweep) => balance -= sweep.works_total().unwrap() + sweep.operator,
                Err(error) => {
                    assert_eq!(error, PaymentsError::EmptyTill);
                    assert_eq!(often, before);
                }
            }
        }
        once.sweep(total, true).unwrap();
        assert_eq!(often, once);
        assert_eq!(once.swept().unwrap() + balance, total);
        assert!(balance < 4, "less than a base unit for each party");
    }

    #[test]
    fn operators_part_waits_in_the_till() {
        let mut till = till(&[1], 1);
        let first = till.sweep(1_000, false).unwrap();
        assert_eq!(first, Sweep { works: vec![500], operator: 0 });
        assert_eq!(till.sweep(500, false), Err(PaymentsError::EmptyTill));
        let second = till.sweep(500, true).unwrap();
        assert_eq!(second, Sweep { works: vec![0], operator: 500 });
    }

    #[test]
    fn overflowing_receipts_are_rejected() {
        let mut till = till(&[1], 0);
        till.sweep(1, false).unwrap();
        assert_eq!(till.sweep(u64::MAX, false), Err(PaymentsError::Overflow));
    }

    #[test]
    fn largest_till_fills_its_space() {
        let largest = till(&[1, 2, 3, 4, 5, 6, 7, 8], 9);
        let bytes = borsh::to_vec(&largest).unwrap();
        assert_eq!(8 + bytes.len(), Till::space(TillShares::MAX_WORKS));
    }
}
