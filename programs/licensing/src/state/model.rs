use anchor_lang::prelude::*;

use crate::error::LicensingError;

/// What a style model was made with, besides its parents.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The model it adapts, as its publisher calls it.
    pub base_model: String,
    /// Merkle root over the content digests of everything it was trained on.
    pub training_root: [u8; 32],
    /// The model it replaces, of the same owner.
    pub previous: Option<Pubkey>,
}

impl Model {
    pub const MAX_NAME_BYTES: usize = 64;

    /// Bytes of a model with so long a name.
    pub const fn space(name_bytes: usize) -> usize {
        (4 + name_bytes) + 32 + 33
    }

    /// Accepts a model that says what it adapts, in few enough bytes.
    pub fn check(&self) -> Result<()> {
        let bytes = 1..=Self::MAX_NAME_BYTES;
        require!(bytes.contains(&self.base_model.len()), LicensingError::InvalidBaseModelName);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_names_its_base_in_1_to_64_bytes() {
        let named = |bytes: usize| Model {
            base_model: "m".repeat(bytes),
            training_root: [0; 32],
            previous: None,
        };
        for bytes in [1, 64] {
            assert_eq!(named(bytes).check(), Ok(()));
        }
        for bytes in [0, 65] {
            assert_eq!(named(bytes).check(), Err(LicensingError::InvalidBaseModelName.into()));
        }
    }
}
