use anchor_lang::prelude::*;
use motif_interface::{
    payments::{Channel, ReceiptsCommitment, StatementBuffer},
    voucher_proof::INSTRUCTIONS_SYSVAR,
};

use super::settle::settle;
use crate::{state::statement, voucher_proof::signed_voucher};

#[derive(Accounts)]
pub struct SettleBuffered<'info> {
    /// As for `settle`; receives the rent of its buffer.
    #[account(mut)]
    pub settler: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    #[account(mut, has_one = settler, has_one = channel, close = settler)]
    pub statement_buffer: AccountLoader<'info, StatementBuffer>,

    /// CHECK: as for `settle`.
    pub operator: UncheckedAccount<'info>,

    /// CHECK: instructions sysvar, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

pub fn handle_settle_buffered(
    ctx: Context<SettleBuffered>,
    receipts: Option<ReceiptsCommitment>,
) -> Result<()> {
    let proven = signed_voucher(&ctx.accounts.instructions)?;
    let statement = statement(&ctx.accounts.statement_buffer)?;
    let accounts = &ctx.accounts;
    let (channel, operator) = (&accounts.channel, &accounts.operator);
    settle(channel, operator, &proven, &statement, receipts, accounts.settler.key)
}
