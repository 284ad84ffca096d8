use anchor_lang::prelude::*;
use motif_interface::licensing::{LicensingError, SplitChange, Work};

#[derive(Accounts)]
pub struct CancelSplitChange<'info> {
    /// Current owner of the work, which may differ from the proposer.
    pub owner: Signer<'info>,

    #[account(has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work, has_one = proposer, close = proposer)]
    pub split_change: Box<Account<'info, SplitChange>>,

    /// CHECK: `has_one` of the proposal; receives its rent.
    #[account(mut)]
    pub proposer: UncheckedAccount<'info>,
}

pub fn handle_cancel_split_change(_ctx: Context<CancelSplitChange>) -> Result<()> {
    Ok(())
}
