//! A license on a payments channel as the right to make a derivative.
//!
//! `payments` depends on this program, so this program cannot depend on `payments`: it reads a
//! channel's bytes at the places named here. `payments` asserts at compile time that its
//! accounts have these fields there.

use anchor_lang::prelude::*;

use crate::{error::LicensingError, state::Terms};

/// The program whose channels count.
pub const PAYMENTS_ID: Pubkey = pubkey!("BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w");
/// First bytes of a channel.
pub const CHANNEL_DISCRIMINATOR: [u8; 8] = [0x31, 0x9F, 0x63, 0x6A, 0xDC, 0x57, 0xDB, 0x58];
/// Where a channel names its payer.
pub const PAYER_OFFSET: usize = 16;
/// Where a channel's licenses begin.
pub const HEADER_SPACE: usize = 1_072;
/// Bytes of one license.
pub const LICENSE_SIZE: usize = 128;
/// Where a license names its work.
pub const LICENSE_WORK_OFFSET: usize = 0;
/// Where a license names the number of its terms, u32.
pub const LICENSE_TERMS_NUMBER_OFFSET: usize = 32;
/// Where a license counts the units ever settled, u64.
pub const LICENSE_UNITS_OFFSET: usize = 56;
/// Where a license names its last unix second, i64.
pub const LICENSE_EXPIRES_AT_OFFSET: usize = 104;

/// What a derivative needs to know of a license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenseRight {
    /// Who pays for the channel, and so holds the license.
    pub payer: Pubkey,
    pub work: Pubkey,
    pub terms_number: u32,
    /// Units ever settled.
    pub units: u64,
    /// Last unix second of the license; `i64::MAX` for no end.
    pub expires_at: i64,
}

impl LicenseRight {
    /// Reads the license at `index` of an account that has to be a channel of `payments`.
    pub fn read(channel: &AccountInfo, index: u16) -> Result<Self> {
        require_keys_eq!(*channel.owner, PAYMENTS_ID, ErrorCode::AccountOwnedByWrongProgram);
        Self::from_bytes(&channel.try_borrow_data()?, index)
    }

    /// Reads the license at `index` of a channel's data.
    pub fn from_bytes(data: &[u8], index: u16) -> Result<Self> {
        let ours = data.starts_with(&CHANNEL_DISCRIMINATOR);
        require!(ours, ErrorCode::AccountDiscriminatorMismatch);
        let payer = field(data, PAYER_OFFSET)?;
        let at = HEADER_SPACE + usize::from(index) * LICENSE_SIZE;
        let license = data.get(at..at + LICENSE_SIZE).ok_or(LicensingError::LicenseNotFound)?;
        Ok(Self {
            payer: Pubkey::new_from_array(payer),
            work: Pubkey::new_from_array(field(license, LICENSE_WORK_OFFSET)?),
            terms_number: u32::from_le_bytes(field(license, LICENSE_TERMS_NUMBER_OFFSET)?),
            units: u64::from_le_bytes(field(license, LICENSE_UNITS_OFFSET)?),
            expires_at: i64::from_le_bytes(field(license, LICENSE_EXPIRES_AT_OFFSET)?),
        })
    }

    /// Whether it lets `creator` make a derivative under these terms at `now`: it is the
    /// creator's, it is a license of these terms, it has been used, and it lasts until `end`.
    pub fn check(&self, creator: &Pubkey, terms: &Terms, end: i64, now: i64) -> Result<()> {
        require!(self.payer == *creator, LicensingError::LicensePayerMismatch);
        let of_these_terms = self.work == terms.work && self.terms_number == terms.number;
        require!(of_these_terms, LicensingError::LicenseTermsMismatch);
        require!(self.units > 0, LicensingError::LicenseUnused);
        require!(now <= end, LicensingError::LicenseEnded);
        Ok(())
    }
}

fn field<const N: usize>(data: &[u8], at: usize) -> Result<[u8; N]> {
    let bytes = data.get(at..).and_then(|rest| rest.first_chunk());
    bytes.copied().ok_or_else(|| error!(LicensingError::LicenseNotFound))
}
