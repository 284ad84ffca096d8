//! A licence on a payments channel as the right to make a derivative.
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
/// Where a channel's licences begin.
pub const HEADER_SPACE: usize = 1_072;
/// Bytes of one licence.
pub const LICENCE_SIZE: usize = 128;
/// Where a licence names its work.
pub const LICENCE_WORK_OFFSET: usize = 0;
/// Where a licence names the number of its terms, u32.
pub const LICENCE_TERMS_NUMBER_OFFSET: usize = 32;
/// Where a licence counts the units ever settled, u64.
pub const LICENCE_UNITS_OFFSET: usize = 56;
/// Where a licence names its last unix second, i64.
pub const LICENCE_EXPIRES_AT_OFFSET: usize = 104;

/// What a derivative needs to know of a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenceRight {
    /// Who pays for the channel, and so holds the licence.
    pub payer: Pubkey,
    pub work: Pubkey,
    pub terms_number: u32,
    /// Units ever settled.
    pub units: u64,
    /// Last unix second of the licence; `i64::MAX` for no end.
    pub expires_at: i64,
}

impl LicenceRight {
    /// Reads the licence at `index` of an account that has to be a channel of `payments`.
    pub fn read(channel: &AccountInfo, index: u16) -> Result<Self> {
        require_keys_eq!(*channel.owner, PAYMENTS_ID, ErrorCode::AccountOwnedByWrongProgram);
        Self::from_bytes(&channel.try_borrow_data()?, index)
    }

    /// Reads the licence at `index` of a channel's data.
    pub fn from_bytes(data: &[u8], index: u16) -> Result<Self> {
        let ours = data.starts_with(&CHANNEL_DISCRIMINATOR);
        require!(ours, ErrorCode::AccountDiscriminatorMismatch);
        let payer = field(data, PAYER_OFFSET)?;
        let at = HEADER_SPACE + usize::from(index) * LICENCE_SIZE;
        let licence = data.get(at..at + LICENCE_SIZE).ok_or(LicensingError::LicenceMissing)?;
        Ok(Self {
            payer: Pubkey::new_from_array(payer),
            work: Pubkey::new_from_array(field(licence, LICENCE_WORK_OFFSET)?),
            terms_number: u32::from_le_bytes(field(licence, LICENCE_TERMS_NUMBER_OFFSET)?),
            units: u64::from_le_bytes(field(licence, LICENCE_UNITS_OFFSET)?),
            expires_at: i64::from_le_bytes(field(licence, LICENCE_EXPIRES_AT_OFFSET)?),
        })
    }

    /// Whether it lets `creator` make a derivative under these terms at `now`: it is the
    /// creator's, it is a licence of these terms, it has been used, and it lasts until `end`.
    pub fn check(&self, creator: &Pubkey, terms: &Terms, end: i64, now: i64) -> Result<()> {
        require!(self.payer == *creator, LicensingError::LicenceOfAnother);
        let of_these_terms = self.work == terms.work && self.terms_number == terms.number;
        require!(of_these_terms, LicensingError::LicenceOfOtherTerms);
        require!(self.units > 0, LicensingError::LicenceUnused);
        require!(now <= end, LicensingError::LicenceEnded);
        Ok(())
    }
}

fn field<const N: usize>(data: &[u8], at: usize) -> Result<[u8; N]> {
    let bytes = data.get(at..).and_then(|rest| rest.first_chunk());
    bytes.copied().ok_or_else(|| error!(LicensingError::LicenceMissing))
}
