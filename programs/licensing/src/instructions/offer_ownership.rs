use anchor_lang::prelude::*;
use motif_interface::licensing::{LicensingError, Work};

#[derive(Accounts)]
pub struct OfferOwnership<'info> {
    pub owner: Signer<'info>,

    #[account(mut, has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,
}

pub fn handle_offer_ownership(ctx: Context<OfferOwnership>, to: Option<Pubkey>) -> Result<()> {
    Ok(ctx.accounts.work.offer_ownership(to)?)
}
