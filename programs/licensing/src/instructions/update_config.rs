use anchor_lang::prelude::*;

use crate::{error::LicensingError, state::Config};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct UpdateConfigArgs {
    pub arbiter: Pubkey,
    /// At least the rent of an empty account.
    pub dispute_bond_lamports: u64,
    /// From the opening of a dispute to the last second of its verdict: 1 to 60 days.
    pub dispute_seconds: u32,
}

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
    config.check(Rent::get()?.minimum_balance(0))
}
