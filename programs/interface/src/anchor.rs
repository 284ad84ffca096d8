//! Anchor's traits on the account types and errors, as `#[account]` and `#[error_code]` would
//! implement them.

use anchor_lang::{error::ErrorCode, prelude::*};

use crate::{
    AccountError,
    licensing::{self, LicensingError, WorkHead},
    payments::PaymentsError,
};

/// Implements Anchor's traits for account types of one program.
macro_rules! account_traits {
    ($owner:path; borsh: $($borsh:ident),*; zero_copy: $($zero_copy:ident),*) => {
        $(
            $crate::anchor::account_traits!(@common $owner, $borsh);

            impl anchor_lang::AccountSerialize for $borsh {
                fn try_serialize<W: std::io::Write>(
                    &self,
                    writer: &mut W,
                ) -> anchor_lang::Result<()> {
                    let refuse = |_| anchor_lang::error::ErrorCode::AccountDidNotSerialize;
                    writer.write_all(Self::DISCRIMINATOR).map_err(refuse)?;
                    borsh::BorshSerialize::serialize(self, writer).map_err(refuse)?;
                    Ok(())
                }
            }

            impl anchor_lang::AccountDeserialize for $borsh {
                fn try_deserialize(data: &mut &[u8]) -> anchor_lang::Result<Self> {
                    $crate::anchor::check_discriminator(
                        data,
                        Self::DISCRIMINATOR,
                        stringify!($borsh),
                    )?;
                    Self::try_deserialize_unchecked(data)
                }

                fn try_deserialize_unchecked(data: &mut &[u8]) -> anchor_lang::Result<Self> {
                    let mut data = &data[Self::DISCRIMINATOR.len()..];
                    borsh::BorshDeserialize::deserialize(&mut data).map_err(|_| {
                        anchor_lang::error::ErrorCode::AccountDidNotDeserialize.into()
                    })
                }
            }
        )*
        $(
            $crate::anchor::account_traits!(@common $owner, $zero_copy);

            impl anchor_lang::ZeroCopy for $zero_copy {}

            impl anchor_lang::AccountDeserialize for $zero_copy {
                fn try_deserialize(data: &mut &[u8]) -> anchor_lang::Result<Self> {
                    $crate::anchor::check_discriminator(
                        data,
                        Self::DISCRIMINATOR,
                        stringify!($zero_copy),
                    )?;
                    Self::try_deserialize_unchecked(data)
                }

                fn try_deserialize_unchecked(data: &mut &[u8]) -> anchor_lang::Result<Self> {
                    Ok(bytemuck::pod_read_unaligned(&data[Self::DISCRIMINATOR.len()..]))
                }
            }
        )*
    };
    (@common $owner:path, $type:ident) => {
        impl anchor_lang::Discriminator for $type {
            const DISCRIMINATOR: &'static [u8] = Self::DISCRIMINATOR;
        }

        impl anchor_lang::Owner for $type {
            fn owner() -> solana_pubkey::Pubkey {
                $owner
            }
        }
    };
}
pub(crate) use account_traits;

/// Checks an account's first bytes; `name` is its expected type, for the log.
pub(crate) fn check_discriminator(data: &[u8], expected: &[u8], name: &str) -> Result<()> {
    let Some(found) = data.get(..expected.len()) else {
        return Err(ErrorCode::AccountDiscriminatorNotFound.into());
    };
    if found != expected {
        return Err(error!(ErrorCode::AccountDiscriminatorMismatch).with_account_name(name));
    }
    Ok(())
}

/// Converts a program's errors as `#[error_code]` does.
macro_rules! error_traits {
    ($($error:ident),*) => {$(
        impl From<$error> for anchor_lang::error::Error {
            #[cold]
            #[inline(never)] // one copy instead of one at each `?`
            fn from(error: $error) -> Self {
                anchor_lang::error::AnchorError {
                    error_name: error.name(),
                    error_code_number: error.code(),
                    error_msg: error.to_string(),
                    error_origin: None,
                    compared_values: None,
                }
                .into()
            }
        }
    )*};
}

error_traits!(LicensingError, PaymentsError);

impl From<AccountError> for anchor_lang::error::Error {
    #[cold]
    #[inline(never)]
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::DiscriminatorMismatch => ErrorCode::AccountDiscriminatorMismatch.into(),
            AccountError::InvalidData => ErrorCode::AccountDidNotDeserialize.into(),
        }
    }
}

impl WorkHead {
    /// Reads the head of an account that must be a work of the licensing program.
    ///
    /// # Errors
    /// Anchor's error for an account of another program or type.
    pub fn read(account: &AccountInfo) -> Result<Self> {
        require_keys_eq!(*account.owner, licensing::ID, ErrorCode::AccountOwnedByWrongProgram);
        Ok(Self::from_bytes(&account.try_borrow_data()?)?)
    }
}
