use anchor_lang::prelude::*;
use motif_interface::licensing::{SplitChange, Work};

use crate::event::SplitChanged;

#[derive(Accounts)]
pub struct ApplySplitChange<'info> {
    /// Any key; pays for the growth of the work's account.
    #[account(mut)]
    pub payer: Signer<'info>,

    // Never shrinks: this signer would receive rent that the creator paid.
    #[account(
        mut,
        realloc = work.space_with(split_change.split.len()).max(work.to_account_info().data_len()),
        realloc::payer = payer,
        realloc::zero = false,
    )]
    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work, has_one = proposer, close = proposer)]
    pub split_change: Box<Account<'info, SplitChange>>,

    /// CHECK: `has_one` of the proposal; receives its rent.
    #[account(mut)]
    pub proposer: UncheckedAccount<'info>,

    pub system_program: Program<'info, System>,
}

pub fn handle_apply_split_change(ctx: Context<ApplySplitChange>) -> Result<()> {
    let ApplySplitChange { work, split_change, .. } = ctx.accounts;
    work.apply_split(split_change, Clock::get()?.unix_timestamp)?;
    emit!(SplitChanged { work: work.key(), split_version: work.split_version });
    Ok(())
}
