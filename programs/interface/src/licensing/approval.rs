use solana_pubkey::Pubkey;

use crate::{UnknownWord, codec::*};

/// Action that an approval permits. Stored as one byte, in this order: append only.
#[derive(
    BorshSerialize,
    BorshDeserialize,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = UnknownWord,
    parse_err_fn = UnknownWord::expected::<Purpose>
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Purpose {
    /// Accept terms that require approval.
    License,
    /// Register a derivative under terms that require approval.
    Derivative,
}

/// Permission of a work's owner for one grantee, one purpose and one version of terms.
///
/// Seeds: `["approval", terms, grantee, [purpose]]`. Valid any number of times until revoked.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Terms account that the approval is for.
    pub terms: Pubkey,
    /// Payer or creator that may use the approval.
    pub grantee: Pubkey,
    /// Permitted action.
    pub purpose: Purpose,
    /// Owner that granted the approval and paid its rent. Void after a change of ownership.
    pub granted_by: Pubkey,
    /// On-chain time of the grant, unix seconds.
    pub granted_at: i64,
}

impl Approval {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"approval";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes of the account.
    pub const SPACE: usize = 8 + 2 + 32 + 32 + 1 + 32 + 8;

    /// Returns whether `owner`, the current owner of the work, permits this action.
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

// The layout of existing accounts never changes.
const _: () = assert!(Approval::SPACE == 115);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    #[test]
    fn approval_permits_only_what_it_names() {
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
