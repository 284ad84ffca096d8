use anchor_lang::prelude::*;

use crate::{
    error::PaymentsError,
    event::SharePulled,
    state::{Earnings, EarningsMut},
};

/// A dispute of the child stops nobody here: whoever owns it in the end, its parents stay.
#[derive(Accounts)]
pub struct Pull<'info> {
    #[account(mut)]
    pub child: AccountLoader<'info, Earnings>,

    #[account(mut)]
    pub parent: AccountLoader<'info, Earnings>,
}

pub fn handle_pull(ctx: Context<Pull>) -> Result<()> {
    let Pull { child, parent } = ctx.accounts;
    let (parent_work, parent_mint) = {
        let parent = parent.load()?;
        (parent.work, parent.mint)
    };
    let (child_work, amount) = {
        let mut child = EarningsMut::open(child)?;
        require_keys_eq!(child.earnings.mint, parent_mint, PaymentsError::ParentNotFound);
        (child.earnings.work, child.book().pull(&parent_work)?)
    };
    parent.load_mut()?.credit(amount)?;
    emit!(SharePulled { child: child_work, parent: parent_work, mint: parent_mint, amount });
    Ok(())
}
