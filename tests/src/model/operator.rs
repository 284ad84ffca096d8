use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::Rules;

/// Seconds from a rotation to the first second of the new key.
const ROTATION: i64 = 900;
/// Maximum number of receipt keys.
const MOST_RECEIPT_KEYS: usize = 8;

/// What an operator's authority can change at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Minimum fee of new channels, basis points.
    pub fee_bps: u16,
    /// Minimum grace period of new channels.
    pub grace_seconds: u32,
    /// Owner of the token accounts that fees are paid to.
    pub fee_owner: Pubkey,
    /// Location of the gateway.
    pub url: String,
}

impl Conditions {
    /// Checks the limits.
    pub(super) fn check(&self, rules: &mut Rules) {
        rules.require(self.fee_bps <= 5_000, PaymentsError::FeeTooHigh);
        rules.require(self.grace_seconds <= 2_592_000, PaymentsError::InvalidGracePeriod);
        rules.require(self.url.len() <= 128, PaymentsError::UrlTooLong);
    }
}

/// Registered operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Conditions of new channels.
    pub conditions: Conditions,
    /// Unix second of the registration.
    pub registered_at: i64,
    /// One or two settle keys with the first second of each, the later one last.
    pub settle_keys: Vec<(i64, Pubkey)>,
    /// Receipt keys with the first second of each, in the order of their rotations.
    pub receipt_keys: Vec<(i64, Pubkey)>,
}

impl Operator {
    /// Creates an operator that never rotated a key.
    pub fn new(settle_key: Pubkey, receipt_key: Pubkey, conditions: Conditions, now: i64) -> Self {
        Self {
            conditions,
            registered_at: now,
            settle_keys: vec![(i64::MIN, settle_key)],
            receipt_keys: vec![(0, receipt_key)],
        }
    }

    /// Returns the key that settles.
    pub fn settle_key_at(&self, now: i64) -> Pubkey {
        let begun = self.settle_keys.iter().rev().find(|(from, _)| now >= *from);
        begun.map_or(Pubkey::default(), |(_, key)| *key)
    }

    /// Returns the settle and receipt keys, pending and former ones included.
    pub fn hot_keys(&self) -> impl Iterator<Item = Pubkey> {
        self.settle_keys.iter().chain(&self.receipt_keys).map(|(_, key)| *key)
    }

    /// Replaces the settle key after the delay, and a pending one at once.
    pub(super) fn rotate_settle_key(&mut self, key: Pubkey, now: i64) {
        let present = self.settle_key_at(now);
        self.settle_keys = vec![(i64::MIN, present), (now + ROTATION, key)];
    }

    /// Replaces the receipt key after the delay, and a pending one at once. Earlier keys stay, up to
    /// their maximum number.
    pub(super) fn rotate_receipt_key(&mut self, key: Pubkey, now: i64) {
        self.receipt_keys.pop_if(|(from, _)| *from > now);
        self.receipt_keys.push((now + ROTATION, key));
        let surplus = self.receipt_keys.len().saturating_sub(MOST_RECEIPT_KEYS);
        self.receipt_keys.drain(..surplus);
    }
}
