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
pub struct StatementBuffer {
    pub version: u8,
    pub bump: u8,
    pub reserved: [u8; 6],
    pub channel: Pubkey,
    /// Wrote it, paid for it and settles with it.
    pub settler: Pubkey,
}

impl StatementBuffer {
    pub const SEED: &'static [u8] = b"staged";
    pub const VERSION: u8 = 1;
    pub const HEADER_SPACE: usize = Self::DISCRIMINATOR.len() + size_of::<Self>();
    /// Of the statement with the most entries a channel can have.
    pub const MAX_BYTES: usize = Channel::MAX_LICENSES * Entry::SIZE;

    /// Bytes of an account in which so many of the statement's bytes are staged.
    pub const fn space(bytes: usize) -> usize {
        Self::HEADER_SPACE + bytes
    }
}

/// What is staged so far.
pub fn staged<'a>(account: &'a AccountLoader<'_, StatementBuffer>) -> Result<Ref<'a, [u8]>> {
    let data = account.as_ref().try_borrow_data()?;
    require!(data.len() >= StatementBuffer::HEADER_SPACE, PaymentsError::InvalidStatementBuffer);
    Ok(Ref::map(data, |data| &data[StatementBuffer::HEADER_SPACE..]))
}

/// What is staged so far, for change.
pub fn staged_mut<'a>(account: &'a AccountLoader<'_, StatementBuffer>) -> Result<RefMut<'a, [u8]>> {
    let data = account.as_ref().try_borrow_mut_data()?;
    require!(data.len() >= StatementBuffer::HEADER_SPACE, PaymentsError::InvalidStatementBuffer);
    Ok(RefMut::map(data, |data| &mut data[StatementBuffer::HEADER_SPACE..]))
}

// The layout is a promise to every account already on chain.
const _: () = assert!(StatementBuffer::HEADER_SPACE == 80);
