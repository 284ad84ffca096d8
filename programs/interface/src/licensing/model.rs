use solana_pubkey::Pubkey;

use super::LicensingError;
use crate::{codec::*, require};

/// Origin of a style model, in addition to its parents.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Publisher's name of the adapted model.
    pub base_model: String,
    /// Merkle root of the training set's content digests (see `training_set`).
    pub training_root: [u8; 32],
    /// Style model of the same owner that this one replaces.
    pub previous: Option<Pubkey>,
}

impl Model {
    /// Maximum length of `base_model`.
    pub const MAX_NAME_BYTES: usize = 64;

    /// Returns the bytes of a model in an account.
    pub const fn space(name_bytes: usize) -> usize {
        (4 + name_bytes) + 32 + 33
    }

    /// Checks the length of `base_model`.
    ///
    /// # Errors
    /// [`LicensingError::InvalidBaseModelName`].
    pub fn check(&self) -> Result<(), LicensingError> {
        let bytes = 1..=Self::MAX_NAME_BYTES;
        require!(bytes.contains(&self.base_model.len()), LicensingError::InvalidBaseModelName);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_model_name_has_1_to_64_bytes() {
        let named = |bytes: usize| Model {
            base_model: "m".repeat(bytes),
            training_root: [0; 32],
            previous: None,
        };
        for bytes in [1, 64] {
            assert_eq!(named(bytes).check(), Ok(()));
        }
        for bytes in [0, 65] {
            assert_eq!(named(bytes).check(), Err(LicensingError::InvalidBaseModelName));
        }
    }
}
