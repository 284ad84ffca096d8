use anchor_lang::prelude::*;
use licensing::WorkHead;

use crate::{event::DisputeApplied, state::Earnings};

#[derive(Accounts)]
pub struct ApplyDispute<'info> {
    /// CHECK: the work of the earnings, by its address; `WorkHead` checks owner and type.
    pub work: UncheckedAccount<'info>,

    #[account(mut, has_one = work)]
    pub earnings: AccountLoader<'info, Earnings>,
}

pub fn handle_apply_dispute(ctx: Context<ApplyDispute>) -> Result<()> {
    let work = WorkHead::read(&ctx.accounts.work)?;
    let (mint, own_contested) = {
        let mut earnings = ctx.accounts.earnings.load_mut()?;
        earnings.contest(&work)?;
        (earnings.mint, earnings.own_contested)
    };
    emit!(DisputeApplied { work: ctx.accounts.work.key(), mint, own_contested });
    Ok(())
}
