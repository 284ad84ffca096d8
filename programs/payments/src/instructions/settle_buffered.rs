use anchor_lang::prelude::*;

use super::settle::settle;
use crate::{
    proof::{INSTRUCTIONS_SYSVAR, signed_voucher},
    state::{Channel, ReceiptsCommitment, StatementBuffer, staged},
};

#[derive(Accounts)]
pub struct SettleBuffered<'info> {
    /// As for `settle`; gets back the rent of what it staged.
    #[account(mut)]
    pub settler: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    #[account(mut, has_one = settler, has_one = channel, close = settler)]
    pub statement_buffer: AccountLoader<'info, StatementBuffer>,

    /// CHECK: the sysvar itself, by its address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

pub fn handle_settle_buffered(
    ctx: Context<SettleBuffered>,
    receipts: Option<ReceiptsCommitment>,
) -> Result<()> {
    let signed = signed_voucher(&ctx.accounts.instructions)?;
    let statement = staged(&ctx.accounts.statement_buffer)?;
    settle(&ctx.accounts.channel, &signed, &statement, receipts, ctx.accounts.settler.key)
}
