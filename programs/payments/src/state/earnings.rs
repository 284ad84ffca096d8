use std::cell::{Ref, RefMut};

use anchor_lang::prelude::*;
use motif_interface::payments::{Book, Earnings, Part, PaymentsError, Reparent, Resplit};

/// Mutable borrow of an earnings account: header and parts.
pub struct EarningsMut<'a> {
    pub earnings: RefMut<'a, Earnings>,
    pub parts: RefMut<'a, [Part]>,
}

impl<'a> EarningsMut<'a> {
    /// Borrows an account that Anchor has checked to be earnings of this program.
    pub fn open(account: &'a AccountLoader<'_, Earnings>) -> Result<Self> {
        require!(account.as_ref().is_writable, ErrorCode::AccountNotMutable);
        let data = account.as_ref().try_borrow_mut_data()?;
        check_length(data.len())?;
        let (earnings, parts) = RefMut::map_split(data, |data| {
            let (_, body) = data.split_at_mut(Earnings::DISCRIMINATOR.len());
            let (header, parts) = body.split_at_mut(size_of::<Earnings>());
            (bytemuck::from_bytes_mut(header), bytemuck::cast_slice_mut(parts))
        });
        Ok(Self { earnings, parts })
    }

    pub fn book(&mut self) -> Book<'_> {
        Book { earnings: &mut self.earnings, parts: &mut self.parts }
    }

    /// Replaces the parents' parts by those after a verdict.
    pub fn reparent(&mut self, reparent: &Reparent) {
        let Reparent { earned_before, own_start, own_bps, ref parts } = *reparent;
        self.parts[..parts.len()].copy_from_slice(parts);
        self.earnings.earned_before = earned_before;
        self.earnings.own_start = own_start;
        self.earnings.own_bps = own_bps;
    }

    /// Replaces the parts by those of a new split, for which the account must have room.
    pub fn replace(&mut self, resplit: &Resplit, split_version: u32) {
        let (kept, room) = self.parts.split_at_mut(resplit.parts.len());
        kept.copy_from_slice(&resplit.parts);
        room.fill(Part::default());
        self.earnings.own_before = resplit.own_before;
        self.earnings.split_version = split_version;
    }
}

/// Borrow of an earnings account: header and parts.
pub struct EarningsRef<'a> {
    pub earnings: Ref<'a, Earnings>,
    pub parts: Ref<'a, [Part]>,
}

impl<'a> EarningsRef<'a> {
    /// Borrows an account that Anchor has checked to be earnings of this program.
    pub fn open(account: &'a AccountLoader<'_, Earnings>) -> Result<Self> {
        let data = account.as_ref().try_borrow_data()?;
        check_length(data.len())?;
        let (earnings, parts) = Ref::map_split(data, |data| {
            let (header, parts) = data.split_at(Earnings::HEADER_SPACE);
            let header = &header[Earnings::DISCRIMINATOR.len()..];
            (bytemuck::from_bytes(header), bytemuck::cast_slice(parts))
        });
        Ok(Self { earnings, parts })
    }
}

fn check_length(bytes: usize) -> Result<()> {
    let part_bytes = bytes.checked_sub(Earnings::HEADER_SPACE);
    let whole = part_bytes.is_some_and(|bytes| bytes.is_multiple_of(Part::SIZE));
    require!(whole, PaymentsError::InvalidEarningsData);
    Ok(())
}

/// Changes the earnings of `work` in `mint` that a remaining account holds. The borrow ends with
/// the call: two of an instruction's accounts may be the same.
///
/// # Errors
/// [`PaymentsError::InvalidEarningsAccounts`], and those of `change`.
pub fn change_earnings<'info, T>(
    account: &'info AccountInfo<'info>,
    work: &Pubkey,
    mint: &Pubkey,
    change: impl FnOnce(&mut Earnings) -> Result<T>,
) -> Result<T> {
    require!(account.is_writable, PaymentsError::InvalidEarningsAccounts);
    let earnings: AccountLoader<Earnings> = AccountLoader::try_from(account)?;
    let mut earnings = earnings.load_mut()?;
    let matching = earnings.work == *work && earnings.mint == *mint;
    require!(matching, PaymentsError::InvalidEarningsAccounts);
    change(&mut earnings)
}
