use anchor_lang::prelude::*;

/// A person's yes to the use of its voice or likeness.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Consent {
    /// Signed for it, and may change its end.
    pub person: Pubkey,
    /// Last unix second of the consent; `None` for no end. Licenses accepted earlier keep the
    /// end they were accepted with.
    pub expires_at: Option<i64>,
}

impl Consent {
    /// True up to and including `expires_at`.
    pub fn valid_at(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|end| now <= end)
    }
}
