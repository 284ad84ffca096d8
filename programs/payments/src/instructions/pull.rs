use anchor_lang::prelude::*;
use motif_interface::{
    licensing::WorkHead,
    payments::{Earnings, PaymentsError},
};

use crate::{event::SharePulled, state::EarningsMut};

#[derive(Accounts)]
pub struct Pull<'info> {
    /// CHECK: work of the child, `has_one` of its earnings; `WorkHead::read` checks owner and
    /// discriminator.
    pub work: UncheckedAccount<'info>,

    #[account(mut, has_one = work)]
    pub child: AccountLoader<'info, Earnings>,

    #[account(mut)]
    pub parent: AccountLoader<'info, Earnings>,
}

pub fn handle_pull(ctx: Context<Pull>) -> Result<()> {
    let Pull { work, child, parent } = ctx.accounts;
    let head = WorkHead::read(work)?;
    let (parent_work, parent_mint) = {
        let parent = parent.load()?;
        (parent.work, parent.mint)
    };
    let amount = {
        let mut child = EarningsMut::open(child)?;
        require_keys_eq!(child.earnings.mint, parent_mint, PaymentsError::ParentNotFound);
        // A verdict may have dropped parents, and an open dispute's may.
        child.earnings.secure(&head)?;
        let earned = child.earnings.earned_contested;
        child.book().pull(earned, &parent_work)?
    };
    parent.load_mut()?.credit(amount)?;
    SharePulled { child: work.key(), parent: parent_work, mint: parent_mint, amount }.log();
    Ok(())
}
