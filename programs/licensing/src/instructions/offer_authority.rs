use anchor_lang::prelude::*;
use motif_interface::licensing::{Config, LicensingError};

#[derive(Accounts)]
pub struct OfferAuthority<'info> {
    pub authority: Signer<'info>,

    #[account(mut, has_one = authority @ LicensingError::NotAuthority)]
    pub config: Account<'info, Config>,
}

pub fn handle_offer_authority(ctx: Context<OfferAuthority>, to: Option<Pubkey>) -> Result<()> {
    ctx.accounts.config.pending_authority = to;
    Ok(())
}
