use anchor_lang::prelude::*;

/// What an approval lets its grantee do. Stored as one byte, in this order: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum Purpose {
    /// Accept the terms, where they ask for approval.
    License,
    /// Register a derivative under the terms, where they ask for approval.
    Derivative,
}

/// A standing yes of a work's owner: one person may do one thing under one version of terms.
///
/// Seeds: `["approval", terms, grantee, [purpose]]`. It can be used until it is revoked.
#[account]
#[derive(Debug, PartialEq, Eq, InitSpace)]
pub struct Approval {
    pub version: u8,
    pub bump: u8,
    pub terms: Pubkey,
    pub grantee: Pubkey,
    pub purpose: Purpose,
    /// The owner who said yes, and paid the rent. Worth nothing once somebody else owns the work.
    pub granted_by: Pubkey,
    /// Unix seconds on chain.
    pub granted_at: i64,
}

impl Approval {
    pub const SEED: &'static [u8] = b"approval";
    pub const VERSION: u8 = 1;
    pub const SPACE: usize = Self::DISCRIMINATOR.len() + Self::INIT_SPACE;

    /// Whether `owner`, who owns the work now, lets `grantee` do this under these terms.
    pub fn holds(
        &self,
        terms: &Pubkey,
        grantee: &Pubkey,
        purpose: Purpose,
        owner: &Pubkey,
    ) -> bool {
        self.terms == *terms
            && self.grantee == *grantee
            && self.purpose == purpose
            && self.granted_by == *owner
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Approval::SPACE == 115);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    #[test]
    fn an_approval_holds_for_what_it_names_and_nothing_else() {
        let approval = Approval {
            version: Approval::VERSION,
            bump: 255,
            terms: key(1),
            grantee: key(2),
            purpose: Purpose::License,
            granted_by: key(3),
            granted_at: 0,
        };
        let (terms, grantee, owner, other) = (&key(1), &key(2), &key(3), &key(4));
        assert!(approval.holds(terms, grantee, Purpose::License, owner));
        assert!(!approval.holds(other, grantee, Purpose::License, owner));
        assert!(!approval.holds(terms, other, Purpose::License, owner));
        assert!(!approval.holds(terms, grantee, Purpose::Derivative, owner));
        assert!(!approval.holds(terms, grantee, Purpose::License, other));
    }
}
