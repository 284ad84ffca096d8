use anchor_lang::prelude::*;
use licensing::Work;

use crate::state::{Earnings, Vault};

#[derive(Accounts)]
pub struct OpenEarnings<'info> {
    /// Pays the rent; has no other part in it.
    #[account(mut)]
    pub funder: Signer<'info>,

    pub work: Box<Account<'info, Work>>,

    /// Names the mint, which must have been admitted.
    pub vault: Account<'info, Vault>,

    #[account(
        init,
        payer = funder,
        space = Earnings::space(work.parents.len(), work.split.len()),
        seeds = [Earnings::SEED, work.key().as_ref(), vault.mint.as_ref()],
        bump,
    )]
    pub earnings: Box<Account<'info, Earnings>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_open_earnings(ctx: Context<OpenEarnings>) -> Result<()> {
    let accounts = ctx.accounts;
    let earnings = Earnings::new(&accounts.work, accounts.vault.mint, ctx.bumps.earnings);
    accounts.earnings.set_inner(earnings);
    Ok(())
}
