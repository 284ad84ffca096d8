use anchor_lang::prelude::*;
use motif_interface::{licensing::WorkHead, payments::Earnings};

use crate::event::DisputeApplied;

#[derive(Accounts)]
pub struct ApplyDispute<'info> {
    /// CHECK: `has_one` of the earnings; `WorkHead::read` checks owner and discriminator.
    pub work: UncheckedAccount<'info>,

    #[account(mut, has_one = work)]
    pub earnings: AccountLoader<'info, Earnings>,
}

pub fn handle_apply_dispute(ctx: Context<ApplyDispute>) -> Result<()> {
    let work = WorkHead::read(&ctx.accounts.work)?;
    let (mint, own_contested, earned_contested) = {
        let mut earnings = ctx.accounts.earnings.load_mut()?;
        earnings.contest(&work)?;
        (earnings.mint, earnings.own_contested, earnings.earned_contested)
    };
    let work = ctx.accounts.work.key();
    emit!(DisputeApplied { work, mint, own_contested, earned_contested });
    Ok(())
}
