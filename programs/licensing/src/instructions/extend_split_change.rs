use anchor_lang::prelude::*;
use motif_interface::licensing::{LicensingError, Share, SplitChange, Work};

#[derive(Accounts)]
pub struct ExtendSplitChange<'info> {
    pub owner: Signer<'info>,

    #[account(has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work)]
    pub split_change: Box<Account<'info, SplitChange>>,
}

pub fn handle_extend_split_change(
    ctx: Context<ExtendSplitChange>,
    shares: Vec<Share>,
) -> Result<()> {
    let ExtendSplitChange { work, split_change, .. } = ctx.accounts;
    Ok(split_change.extend(work, &shares)?)
}
