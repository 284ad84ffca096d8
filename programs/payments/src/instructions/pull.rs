use anchor_lang::prelude::*;

use crate::{error::PaymentsError, event::SharePulled, state::Earnings};

#[derive(Accounts)]
pub struct Pull<'info> {
    #[account(mut)]
    pub child: Box<Account<'info, Earnings>>,

    #[account(mut, constraint = parent.mint == child.mint @ PaymentsError::NotAParent)]
    pub parent: Box<Account<'info, Earnings>>,
}

pub fn handle_pull(ctx: Context<Pull>) -> Result<()> {
    let Pull { child, parent } = ctx.accounts;
    let amount = child.pull(&parent.work)?;
    parent.credit(amount)?;
    emit!(SharePulled { child: child.work, parent: parent.work, mint: child.mint, amount });
    Ok(())
}
