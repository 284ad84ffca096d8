use anchor_lang::prelude::*;

use crate::{
    error::LicensingError,
    state::{SplitChange, Work},
};

#[derive(Accounts)]
pub struct CancelSplitChange<'info> {
    /// Of the work now, whoever proposed the change.
    pub owner: Signer<'info>,

    #[account(has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work, has_one = proposer, close = proposer)]
    pub split_change: Box<Account<'info, SplitChange>>,

    /// CHECK: the change names it; it only gets its rent back.
    #[account(mut)]
    pub proposer: UncheckedAccount<'info>,
}

pub fn handle_cancel_split_change(_ctx: Context<CancelSplitChange>) -> Result<()> {
    Ok(())
}
