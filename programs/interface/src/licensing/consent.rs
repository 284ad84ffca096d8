use solana_pubkey::Pubkey;

use crate::codec::*;

/// A person's consent to the use of their voice or likeness.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Person who signed, and who may change the expiry.
    pub person: Pubkey,
    /// Last unix second of the consent; `None` for no expiry. Licenses accepted earlier keep the
    /// expiry they were accepted with.
    pub expires_at: Option<i64>,
}

impl Consent {
    /// Returns whether the consent is valid at `now`, unix seconds.
    pub fn valid_at(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|end| now <= end)
    }
}
