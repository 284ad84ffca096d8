use anchor_lang::prelude::*;
use motif_interface::licensing::{Config, LicensingError, UpdateConfigArgs};

#[derive(Accounts)]
pub struct UpdateConfig<'info> {
    pub authority: Signer<'info>,

    #[account(mut, has_one = authority @ LicensingError::NotAuthority)]
    pub config: Account<'info, Config>,
}

pub fn handle_update_config(ctx: Context<UpdateConfig>, args: UpdateConfigArgs) -> Result<()> {
    let config = &mut ctx.accounts.config;
    config.arbiter = args.arbiter;
    config.dispute_bond_lamports = args.dispute_bond_lamports;
    config.dispute_seconds = args.dispute_seconds;
    Ok(config.check(Rent::get()?.minimum_balance(0))?)
}
