//! Licenses on payments channels, as a right to make a derivative.

use anchor_lang::prelude::*;
use motif_interface::{
    licensing::{LicensingError, Terms},
    payments::{self, Channel, License},
};

/// A license and the payer of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenseRight {
    /// Payer of the channel, which holds the license.
    pub payer: Pubkey,
    /// License at the given index.
    pub license: License,
}

impl LicenseRight {
    /// Reads the license at `index` of an account that must be a channel of `payments`.
    pub fn read(channel: &AccountInfo, index: u16) -> Result<Self> {
        require_keys_eq!(*channel.owner, payments::ID, ErrorCode::AccountOwnedByWrongProgram);
        Self::from_bytes(&channel.try_borrow_data()?, index)
    }

    /// Reads the license at `index` of a channel's data.
    pub fn from_bytes(data: &[u8], index: u16) -> Result<Self> {
        let is_channel = data.starts_with(Channel::DISCRIMINATOR);
        require!(is_channel, ErrorCode::AccountDiscriminatorMismatch);
        let payer = data.get(Channel::PAYER_OFFSET..).and_then(|rest| rest.first_chunk());
        let start = Channel::space(usize::from(index));
        let license = data.get(start..start + License::SIZE);
        let (payer, license) = payer.zip(license).ok_or(LicensingError::LicenseNotFound)?;
        Ok(Self {
            payer: Pubkey::new_from_array(*payer),
            license: bytemuck::pod_read_unaligned(license),
        })
    }

    /// Checks that the license lets `creator` make a derivative under `terms` at `now`: it is the
    /// creator's, of these terms, used, and valid until `end`.
    pub fn check(&self, creator: &Pubkey, terms: &Terms, end: i64, now: i64) -> Result<()> {
        let Self { payer, license } = self;
        require!(payer == creator, LicensingError::LicensePayerMismatch);
        let of_these_terms = license.work == terms.work && license.terms_number == terms.number;
        require!(of_these_terms, LicensingError::LicenseTermsMismatch);
        require!(license.units > 0, LicensingError::LicenseUnused);
        require!(now <= end, LicensingError::LicenseEnded);
        Ok(())
    }
}
