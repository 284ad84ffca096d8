use solana_pubkey::Pubkey;

use super::{Channel, PaymentsError};
use crate::{codec::*, require};

/// Public account of an operator: its keys, its conditions, and where it is reached.
///
/// Seeds: `["operator", authority]`. Channels and terms name an operator by its authority, which
/// never changes; a multisig that changes its members keeps its address.
///
/// Three keys, so that the one on a server can do least:
/// - the authority requests the close of channels, agrees with payers to close at once, to release
///   quotas and to use new voucher keys, and changes this account;
/// - the settle key settles, and nothing else;
/// - the receipt key signs receipts, and no transaction.
///
/// The fields up to `settle_rotates_at` are at fixed offsets, which settlements read in place.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Minimum fee of new channels, basis points in addition to prices.
    pub fee_bps: u16,
    /// Minimum grace period of new channels.
    pub min_grace_seconds: u32,
    /// Key that identifies the operator and changes this account.
    pub authority: Pubkey,
    /// Key that settles until `settle_rotates_at`.
    pub settle_key: Pubkey,
    /// Key that settles from `settle_rotates_at` on.
    pub next_settle_key: Pubkey,
    /// First unix second of `next_settle_key`; `i64::MAX` without a pending rotation.
    pub settle_rotates_at: i64,
    /// Owner of the associated token accounts that fees are paid to.
    pub fee_owner: Pubkey,
    /// On-chain time of the registration, unix seconds.
    pub registered_at: i64,
    /// Keys that sign receipts, each from a time of its own.
    pub receipt_keys: ReceiptKeys,
    /// Location of the operator's gateway; empty if it has none.
    pub url: String,
}

/// A key that signs receipts until the next one is valid.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptKey {
    /// Ed25519 key.
    pub key: Pubkey,
    /// First unix second of the receipts that the key signs; 0 for an operator's first key.
    pub valid_from: i64,
}

impl ReceiptKey {
    /// Bytes of a key in an account.
    pub const SIZE: usize = 40;
}

/// An operator's receipt keys, earliest first. Only the last one can be pending.
///
/// A receipt verifies against the key that was valid when it was issued, so receipts outlive
/// rotations.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ReceiptKeys {
    /// At most [`ReceiptKeys::MAX`], ascending by `valid_from`.
    pub keys: Vec<ReceiptKey>,
}

impl ReceiptKeys {
    /// Maximum number of keys; another rotation drops the earliest.
    pub const MAX: usize = 8;

    /// Creates the list of an operator that has never rotated its key.
    pub fn sole(key: Pubkey) -> Self {
        Self { keys: vec![ReceiptKey { key, valid_from: 0 }] }
    }

    /// Returns the key of receipts that were issued at `time`, unix seconds; `None` if it was
    /// dropped.
    pub fn at(&self, time: i64) -> Option<&Pubkey> {
        let mut valid = self.keys.iter().rev();
        valid.find(|receipt_key| receipt_key.valid_from <= time).map(|found| &found.key)
    }

    /// Replaces the pending key, or adds one.
    fn rotate(&mut self, key: Pubkey, now: i64, valid_from: i64) {
        if self.keys.last().is_some_and(|last| last.valid_from > now) {
            self.keys.pop();
        }
        if self.keys.len() >= Self::MAX {
            self.keys.remove(0);
        }
        self.keys.push(ReceiptKey { key, valid_from });
    }
}

/// Key of an operator that can be rotated. One byte: append only.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorKey {
    /// Key that settles.
    Settle,
    /// Key that signs receipts.
    Receipt,
}

/// Conditions of an operator, which its authority can change at any time. Open channels keep
/// theirs.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct OperatorTerms {
    /// Minimum fee of new channels, basis points in addition to prices.
    pub fee_bps: u16,
    /// Minimum grace period of new channels.
    pub min_grace_seconds: u32,
    /// Owner of the associated token accounts that fees are paid to.
    pub fee_owner: Pubkey,
    /// Location of the operator's gateway; empty if it has none.
    pub url: String,
}

impl OperatorTerms {
    /// Creates conditions without fee, minimum grace period and URL.
    pub fn new(fee_owner: Pubkey) -> Self {
        Self { fee_bps: 0, min_grace_seconds: 0, fee_owner, url: String::new() }
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// [`PaymentsError::FeeTooHigh`], [`PaymentsError::InvalidGracePeriod`],
    /// [`PaymentsError::UrlTooLong`].
    pub fn check(&self) -> Result<(), PaymentsError> {
        require!(self.fee_bps <= Channel::MAX_OPERATOR_FEE_BPS, PaymentsError::FeeTooHigh);
        let grace = self.min_grace_seconds <= Channel::MAX_GRACE_SECONDS;
        require!(grace, PaymentsError::InvalidGracePeriod);
        require!(self.url.len() <= Operator::MAX_URL_BYTES, PaymentsError::UrlTooLong);
        Ok(())
    }
}

impl Operator {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"operator";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Maximum length of `url`.
    pub const MAX_URL_BYTES: usize = 128;
    /// Time from a rotation to the first second of the new key.
    ///
    /// It is the shortest grace period of a channel: what an operator has sent with the old key
    /// settles, and a stolen key is replaced before any channel can close.
    pub const ROTATION_SECONDS: i64 = 15 * 60;
    /// Bytes of the account, with room for all receipt keys and the longest URL.
    pub const SPACE: usize = Self::HEAD_SPACE
        + 32
        + 8
        + (4 + ReceiptKeys::MAX * ReceiptKey::SIZE)
        + (4 + Self::MAX_URL_BYTES);
    /// Bytes before `fee_owner`.
    const HEAD_SPACE: usize = 8 + 2 + 2 + 4 + 32 + 32 + 32 + 8;
    const AUTHORITY_AT: usize = 16;
    const SETTLE_KEY_AT: usize = 48;
    const NEXT_SETTLE_KEY_AT: usize = 80;
    const SETTLE_ROTATES_AT: usize = 112;

    /// Creates the account of a new operator.
    ///
    /// # Errors
    /// As [`OperatorTerms::check`].
    pub fn new(
        bump: u8,
        authority: Pubkey,
        [settle_key, receipt_key]: [Pubkey; 2],
        terms: OperatorTerms,
        now: i64,
    ) -> Result<Self, PaymentsError> {
        terms.check()?;
        Ok(Self {
            version: Self::VERSION,
            bump,
            fee_bps: terms.fee_bps,
            min_grace_seconds: terms.min_grace_seconds,
            authority,
            settle_key,
            next_settle_key: Pubkey::default(),
            settle_rotates_at: i64::MAX,
            fee_owner: terms.fee_owner,
            registered_at: now,
            receipt_keys: ReceiptKeys::sole(receipt_key),
            url: terms.url,
        })
    }

    /// Changes the conditions for channels that open from now on.
    ///
    /// # Errors
    /// As [`OperatorTerms::check`].
    pub fn update(&mut self, terms: OperatorTerms) -> Result<(), PaymentsError> {
        terms.check()?;
        self.fee_bps = terms.fee_bps;
        self.min_grace_seconds = terms.min_grace_seconds;
        self.fee_owner = terms.fee_owner;
        self.url = terms.url;
        Ok(())
    }

    /// Replaces a key [`Operator::ROTATION_SECONDS`] after `now`, and a pending rotation at once.
    /// Returns the first second of the new key.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn rotate(
        &mut self,
        which: OperatorKey,
        key: Pubkey,
        now: i64,
    ) -> Result<i64, PaymentsError> {
        let valid_from = now.checked_add(Self::ROTATION_SECONDS).ok_or(PaymentsError::Overflow)?;
        match which {
            OperatorKey::Settle => {
                self.settle_key = *self.settle_key_at(now);
                self.next_settle_key = key;
                self.settle_rotates_at = valid_from;
            }
            OperatorKey::Receipt => self.receipt_keys.rotate(key, now, valid_from),
        }
        Ok(valid_from)
    }

    /// Returns the key that settles at `now`.
    pub fn settle_key_at(&self, now: i64) -> &Pubkey {
        if now >= self.settle_rotates_at { &self.next_settle_key } else { &self.settle_key }
    }

    /// Returns whether a key is one of the operator's: the authority, the fee owner, the present and
    /// next settle key, or one of the receipt keys that the account keeps. A payer or a voucher key
    /// for which this holds meters itself.
    pub fn holds(&self, key: &Pubkey) -> bool {
        let receipt_key = self.receipt_keys.keys.iter().any(|receipt| receipt.key == *key);
        let settle_key = self.settle_key == *key
            || (self.settle_rotates_at != i64::MAX && self.next_settle_key == *key);
        receipt_key || settle_key || self.authority == *key || self.fee_owner == *key
    }

    /// Returns the key that settles for the operator `authority` at `now`, read in place from an
    /// account's data. The caller checks the account's owner.
    ///
    /// # Errors
    /// [`PaymentsError::InvalidOperatorAccount`] if the account is not that operator's.
    #[inline(always)]
    pub fn settle_key_in<'a>(
        data: &'a [u8],
        authority: &Pubkey,
        now: i64,
    ) -> Result<&'a [u8; 32], PaymentsError> {
        let head = data.first_chunk::<{ Self::HEAD_SPACE }>();
        let head = head.ok_or(PaymentsError::InvalidOperatorAccount)?;
        let own = head.starts_with(Self::DISCRIMINATOR)
            && head[Self::AUTHORITY_AT..Self::SETTLE_KEY_AT] == *authority.as_array();
        require!(own, PaymentsError::InvalidOperatorAccount);
        let mut rotates_at = [0; 8];
        rotates_at.copy_from_slice(&head[Self::SETTLE_ROTATES_AT..]);
        let rotated = now >= i64::from_le_bytes(rotates_at);
        let key_at = if rotated { Self::NEXT_SETTLE_KEY_AT } else { Self::SETTLE_KEY_AT };
        let key = head[key_at..].first_chunk();
        key.ok_or(PaymentsError::InvalidOperatorAccount)
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(Operator::SPACE == 616);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;
    const LATER: i64 = NOW + Operator::ROTATION_SECONDS;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn terms() -> OperatorTerms {
        OperatorTerms {
            fee_bps: 200,
            min_grace_seconds: 3_600,
            fee_owner: key(4),
            url: "https://gateway.example".to_owned(),
        }
    }

    fn operator() -> Operator {
        Operator::new(255, key(1), [key(2), key(3)], terms(), NOW).unwrap()
    }

    fn data(operator: &Operator) -> Vec<u8> {
        let mut data = Operator::DISCRIMINATOR.to_vec();
        borsh::to_writer(&mut data, operator).unwrap();
        data
    }

    #[test]
    fn largest_operator_fills_its_space() {
        let url = "u".repeat(Operator::MAX_URL_BYTES);
        let mut largest = Operator { url, ..operator() };
        let one = largest.receipt_keys.keys[0];
        largest.receipt_keys.keys = vec![one; ReceiptKeys::MAX];
        assert_eq!(data(&largest).len(), Operator::SPACE);
    }

    #[test]
    fn settle_key_rotates_after_the_delay() {
        let mut operator = operator();
        assert_eq!(operator.rotate(OperatorKey::Settle, key(5), NOW), Ok(LATER));
        for (now, expected) in [(NOW, key(2)), (LATER - 1, key(2)), (LATER, key(5))] {
            assert_eq!(*operator.settle_key_at(now), expected);
            let bytes = data(&operator);
            assert_eq!(Operator::settle_key_in(&bytes, &key(1), now), Ok(expected.as_array()));
        }
        // A second rotation replaces a pending one, and keeps one that took effect.
        let (mut replaced, mut kept) = (operator.clone(), operator);
        replaced.rotate(OperatorKey::Settle, key(6), NOW + 1).unwrap();
        assert_eq!(*replaced.settle_key_at(LATER), key(2));
        kept.rotate(OperatorKey::Settle, key(6), LATER).unwrap();
        assert_eq!(*kept.settle_key_at(LATER), key(5));
    }

    #[test]
    fn receipt_key_is_that_of_the_issue() {
        let mut operator = operator();
        operator.rotate(OperatorKey::Receipt, key(5), NOW).unwrap();
        let keys = &operator.receipt_keys;
        for (time, expected) in [(0, 3), (LATER - 1, 3), (LATER, 5), (i64::MAX, 5)] {
            assert_eq!(keys.at(time), Some(&key(expected)));
        }
        assert_eq!(keys.at(-1), None);
        operator.rotate(OperatorKey::Receipt, key(6), NOW + 1).unwrap();
        assert_eq!(operator.receipt_keys.at(LATER + 1), Some(&key(6)), "the pending key is gone");
        assert_eq!(operator.receipt_keys.keys.len(), 2);
    }

    #[test]
    fn ninth_receipt_key_drops_the_first() {
        let mut operator = operator();
        for number in 0..8 {
            let now = NOW + i64::from(number) * Operator::ROTATION_SECONDS;
            operator.rotate(OperatorKey::Receipt, key(10 + number), now).unwrap();
        }
        assert_eq!(operator.receipt_keys.keys.len(), ReceiptKeys::MAX);
        assert_eq!(operator.receipt_keys.at(NOW), None);
        assert_eq!(operator.receipt_keys.at(LATER), Some(&key(10)));
    }

    #[test]
    fn invalid_operator_terms_are_rejected() {
        let refused = |change: fn(&mut OperatorTerms)| {
            let mut changed = terms();
            change(&mut changed);
            let mut operator = operator();
            let before = operator.clone();
            let refused = operator.update(changed);
            assert_eq!(operator, before);
            refused
        };
        assert_eq!(refused(|terms| terms.fee_bps = 5_001), Err(PaymentsError::FeeTooHigh));
        let grace = refused(|terms| terms.min_grace_seconds = 30 * 86_400 + 1);
        assert_eq!(grace, Err(PaymentsError::InvalidGracePeriod));
        let url = refused(|terms| terms.url = "u".repeat(129));
        assert_eq!(url, Err(PaymentsError::UrlTooLong));
    }

    #[test]
    fn other_account_has_no_settle_key() {
        let bytes = data(&operator());
        let none = Err(PaymentsError::InvalidOperatorAccount);
        assert_eq!(Operator::settle_key_in(&bytes, &key(2), NOW), none, "another operator");
        assert_eq!(Operator::settle_key_in(&bytes[..119], &key(1), NOW), none, "cut off");
        let mut other = bytes;
        other[0] ^= 1;
        assert_eq!(Operator::settle_key_in(&other, &key(1), NOW), none, "another type");
    }

    #[test]
    fn operator_holds_each_of_its_keys() {
        let mut operator = operator();
        operator.rotate(OperatorKey::Settle, key(5), NOW).unwrap();
        operator.rotate(OperatorKey::Receipt, key(6), NOW).unwrap();
        let held = (0..8).filter(|number| operator.holds(&key(*number)));
        assert_eq!(held.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    }
}
