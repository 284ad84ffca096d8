use anchor_lang::prelude::*;

use crate::state::{Channel, Staging};

#[derive(Accounts)]
pub struct OpenStaging<'info> {
    /// Will settle with what it stages: the operator, or whoever holds a voucher.
    #[account(mut)]
    pub settler: Signer<'info>,

    pub channel: AccountLoader<'info, Channel>,

    #[account(
        init,
        payer = settler,
        space = Staging::space(0),
        seeds = [Staging::SEED, channel.key().as_ref(), settler.key().as_ref()],
        bump,
    )]
    pub staging: AccountLoader<'info, Staging>,

    pub system_program: Program<'info, System>,
}

pub fn handle_open_staging(ctx: Context<OpenStaging>) -> Result<()> {
    let mut staging = ctx.accounts.staging.load_init()?;
    staging.version = Staging::VERSION;
    staging.bump = ctx.bumps.staging;
    staging.channel = ctx.accounts.channel.key();
    staging.settler = ctx.accounts.settler.key();
    Ok(())
}
