use anchor_lang::prelude::*;

use crate::{
    error::PaymentsError,
    state::{Staging, staged_mut},
};

#[derive(Accounts)]
#[instruction(offset: u32, bytes: Vec<u8>)]
pub struct StageStatement<'info> {
    #[account(mut)]
    pub settler: Signer<'info>,

    #[account(
        mut,
        has_one = settler,
        realloc = room(staging.as_ref().data_len(), offset, bytes.len())?,
        realloc::payer = settler,
        realloc::zero = true,
    )]
    pub staging: AccountLoader<'info, Staging>,

    pub system_program: Program<'info, System>,
}

pub fn handle_stage_statement(
    ctx: Context<StageStatement>,
    offset: u32,
    bytes: Vec<u8>,
) -> Result<()> {
    let mut staged = staged_mut(&ctx.accounts.staging)?;
    let offset = offset as usize;
    staged[offset..offset + bytes.len()].copy_from_slice(&bytes); // `room` made it fit
    Ok(())
}

/// Bytes of the account once a part of the statement has been written to it. Parts leave no
/// gap, and what is written again takes no more room.
fn room(present: usize, offset: u32, length: usize) -> Result<usize> {
    let staged = present.checked_sub(Staging::HEADER_SPACE).ok_or(PaymentsError::StagingBytes)?;
    let (offset, end) = (offset as usize, (offset as usize).saturating_add(length));
    let fits = offset <= staged && end <= Staging::MAX_BYTES;
    require!(fits, PaymentsError::StagedPart);
    Ok(Staging::space(staged.max(end)))
}
