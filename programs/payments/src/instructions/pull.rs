use anchor_lang::prelude::*;
use motif_interface::payments::{Earnings, PaymentsError};

use crate::{event::SharePulled, state::EarningsMut};

/// A dispute of the child does not matter: a verdict changes its owner, not its parents.
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
    SharePulled { child: child_work, parent: parent_work, mint: parent_mint, amount }.log();
    Ok(())
}
