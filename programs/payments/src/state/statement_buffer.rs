use std::cell::{Ref, RefMut};

use anchor_lang::prelude::*;
use motif_interface::payments::{PaymentsError, StatementBuffer};

/// Borrows the statement in a buffer.
pub fn statement<'a>(account: &'a AccountLoader<'_, StatementBuffer>) -> Result<Ref<'a, [u8]>> {
    let data = account.as_ref().try_borrow_data()?;
    require!(data.len() >= StatementBuffer::HEADER_SPACE, PaymentsError::InvalidStatementBuffer);
    Ok(Ref::map(data, |data| &data[StatementBuffer::HEADER_SPACE..]))
}

/// Borrows the statement in a buffer mutably.
pub fn statement_mut<'a>(
    account: &'a AccountLoader<'_, StatementBuffer>,
) -> Result<RefMut<'a, [u8]>> {
    let data = account.as_ref().try_borrow_mut_data()?;
    require!(data.len() >= StatementBuffer::HEADER_SPACE, PaymentsError::InvalidStatementBuffer);
    Ok(RefMut::map(data, |data| &mut data[StatementBuffer::HEADER_SPACE..]))
}
