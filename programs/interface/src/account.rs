//! Account data: discriminators, and reading accounts outside the programs.

use borsh::BorshDeserialize;
use sha2_const_stable::Sha256;
use solana_pubkey::Pubkey;

/// An account type that Borsh serializes, behind an 8-byte discriminator.
pub trait AccountData: BorshDeserialize {
    /// Program that owns accounts of this type.
    const OWNER: Pubkey;
    /// First bytes of every account of this type.
    const DISCRIMINATOR: &'static [u8];

    /// Reads an account's data. The caller checks that the account belongs to [`Self::OWNER`].
    ///
    /// Bytes behind the last field are ignored: an account may be larger than its content.
    ///
    /// # Errors
    /// [`AccountError`] if the data is of another type or cut off.
    fn from_account_data(data: &[u8]) -> Result<Self, AccountError> {
        let body = data.strip_prefix(Self::DISCRIMINATOR);
        let mut body = body.ok_or(AccountError::DiscriminatorMismatch)?;
        Self::deserialize(&mut body).map_err(|_| AccountError::InvalidData)
    }
}

/// Error returned when an account's data is not of the expected type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The first 8 bytes name another account type.
    #[error("account discriminator mismatch: the account is of another type")]
    DiscriminatorMismatch,
    /// The data is cut off, or a field has a value that its type does not have.
    #[error("invalid account data: too short, or a field has an unknown value")]
    InvalidData,
}

/// Returns Anchor's discriminator: the first 8 bytes of SHA-256 of `namespace:name`.
pub(crate) const fn discriminator(namespace: &str, name: &str) -> [u8; 8] {
    let hash = Sha256::new().update(namespace.as_bytes()).update(b":").update(name.as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = hash.finalize();
    [a, b, c, d, e, f, g, h]
}

/// Defines the discriminator of account types, and reads those that Borsh serializes.
macro_rules! accounts {
    ($owner:path; borsh: $($borsh:ident),*; zero_copy: $($zero_copy:ident),*) => {
        $(
            impl $borsh {
                /// First 8 bytes of the account.
                pub const DISCRIMINATOR: &'static [u8] =
                    &$crate::account::discriminator("account", stringify!($borsh));
            }

            impl $crate::AccountData for $borsh {
                const OWNER: $crate::Pubkey = $owner;
                const DISCRIMINATOR: &'static [u8] = Self::DISCRIMINATOR;
            }
        )*
        $(
            impl $zero_copy {
                /// First 8 bytes of the account.
                pub const DISCRIMINATOR: &'static [u8] =
                    &$crate::account::discriminator("account", stringify!($zero_copy));
            }
        )*
        #[cfg(feature = "anchor")]
        $crate::anchor::account_traits!($owner; borsh: $($borsh),*; zero_copy: $($zero_copy),*);
    };
}
pub(crate) use accounts;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{Approval, Purpose};

    #[test]
    fn discriminator_is_the_cut_off_hash() {
        assert_eq!(discriminator("account", "Channel"), *b"\x31\x9F\x63\x6A\xDC\x57\xDB\x58");
    }

    #[test]
    fn account_of_other_type_is_rejected() {
        let mut data = Approval::DISCRIMINATOR.to_vec();
        data.extend_from_slice(&[0; 200]);
        let approval = Approval::from_account_data(&data).unwrap();
        assert_eq!(approval.purpose, Purpose::License);
        assert_eq!(Approval::from_account_data(&data[..100]), Err(AccountError::InvalidData));
        data[0] ^= 1;
        let other = Approval::from_account_data(&data);
        assert_eq!(other, Err(AccountError::DiscriminatorMismatch));
    }
}
