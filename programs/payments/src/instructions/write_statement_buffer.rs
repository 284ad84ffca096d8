use anchor_lang::prelude::*;

use crate::{
    error::PaymentsError,
    state::{StatementBuffer, staged_mut},
};

#[derive(Accounts)]
#[instruction(offset: u32, bytes: Vec<u8>)]
pub struct WriteStatementBuffer<'info> {
    #[account(mut)]
    pub settler: Signer<'info>,

    #[account(
        mut,
        has_one = settler,
        realloc = room(statement_buffer.as_ref().data_len(), offset, bytes.len())?,
        realloc::payer = settler,
        realloc::zero = true,
    )]
    pub statement_buffer: AccountLoader<'info, StatementBuffer>,

    pub system_program: Program<'info, System>,
}

pub fn handle_write_statement_buffer(
    ctx: Context<WriteStatementBuffer>,
    offset: u32,
    bytes: Vec<u8>,
) -> Result<()> {
    let mut staged = staged_mut(&ctx.accounts.statement_buffer)?;
    let offset = offset as usize;
    staged[offset..offset + bytes.len()].copy_from_slice(&bytes); // `room` made it fit
    Ok(())
}

/// Bytes of the account once a part of the statement has been written to it. Parts leave no
/// gap, and what is written again takes no more room.
fn room(present: usize, offset: u32, length: usize) -> Result<usize> {
    let staged = present
        .checked_sub(StatementBuffer::HEADER_SPACE)
        .ok_or(PaymentsError::InvalidStatementBuffer)?;
    let (offset, end) = (offset as usize, (offset as usize).saturating_add(length));
    let fits = offset <= staged && end <= StatementBuffer::MAX_BYTES;
    require!(fits, PaymentsError::InvalidBufferPart);
    Ok(StatementBuffer::space(staged.max(end)))
}
