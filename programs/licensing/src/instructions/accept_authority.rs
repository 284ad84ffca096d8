use anchor_lang::prelude::*;
use motif_interface::licensing::Config;

use crate::event::AuthorityChanged;

#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    pub accepter: Signer<'info>,

    #[account(mut)]
    pub config: Account<'info, Config>,
}

pub fn handle_accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
    let authority = ctx.accounts.accepter.key();
    ctx.accounts.config.accept_authority(authority)?;
    emit!(AuthorityChanged { authority });
    Ok(())
}
