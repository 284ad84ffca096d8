use std::cell::{Ref, RefMut};

use anchor_lang::prelude::*;

use super::Channel;
use crate::{error::PaymentsError, statement::Entry};

/// A statement too large for a packet, written in parts before it settles.
///
/// Seeds: `["staged", channel, settler]`. Every settler stages its own, so nobody can disturb
/// another's. The statement's bytes follow this header in the same account, and nothing else.
#[account(zero_copy)]
#[repr(C)]
#[derive(Debug)]
pub struct Staging {
    pub version: u8,
    pub bump: u8,
    pub reserved: [u8; 6],
    pub channel: Pubkey,
    /// Wrote it, paid for it and settles with it.
    pub settler: Pubkey,
}

impl Staging {
    pub const SEED: &'static [u8] = b"staged";
    pub const VERSION: u8 = 1;
    pub const HEADER_SPACE: usize = Self::DISCRIMINATOR.len() + size_of::<Self>();
    /// Of the statement with the most entries a channel can have.
    pub const MAX_BYTES: usize = Channel::MAX_LICENCES * Entry::SIZE;

    /// Bytes of an account in which so many of the statement's bytes are staged.
    pub const fn space(bytes: usize) -> usize {
        Self::HEADER_SPACE + bytes
    }
}

/// What is staged so far.
pub fn staged<'a>(account: &'a AccountLoader<'_, Staging>) -> Result<Ref<'a, [u8]>> {
    let data = account.as_ref().try_borrow_data()?;
    require!(data.len() >= Staging::HEADER_SPACE, PaymentsError::StagingBytes);
    Ok(Ref::map(data, |data| &data[Staging::HEADER_SPACE..]))
}

/// What is staged so far, for change.
pub fn staged_mut<'a>(account: &'a AccountLoader<'_, Staging>) -> Result<RefMut<'a, [u8]>> {
    let data = account.as_ref().try_borrow_mut_data()?;
    require!(data.len() >= Staging::HEADER_SPACE, PaymentsError::StagingBytes);
    Ok(RefMut::map(data, |data| &mut data[Staging::HEADER_SPACE..]))
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Staging::HEADER_SPACE == 80);
