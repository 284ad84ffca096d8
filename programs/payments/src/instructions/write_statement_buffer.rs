use anchor_lang::prelude::*;
use motif_interface::payments::{PaymentsError, StatementBuffer};

use crate::state::statement_mut;

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
    let mut statement = statement_mut(&ctx.accounts.statement_buffer)?;
    let offset = offset as usize;
    statement[offset..offset + bytes.len()].copy_from_slice(&bytes); // `room` grew the account
    Ok(())
}

/// Returns the bytes of the account after a part is written. Parts leave no gap; writing a part
/// again needs no more room.
fn room(present: usize, offset: u32, length: usize) -> Result<usize> {
    let written = present
        .checked_sub(StatementBuffer::HEADER_SPACE)
        .ok_or(PaymentsError::InvalidStatementBuffer)?;
    let (offset, end) = (offset as usize, (offset as usize).saturating_add(length));
    let fits = offset <= written && end <= StatementBuffer::MAX_BYTES;
    require!(fits, PaymentsError::InvalidBufferPart);
    Ok(StatementBuffer::space(written.max(end)))
}
