use anchor_lang::prelude::*;
use motif_interface::{
    licensing::Work,
    payments::{Earnings, Vault, first_parts},
};

use crate::state::EarningsMut;

#[derive(Accounts)]
pub struct OpenEarnings<'info> {
    /// Any key; pays the rent.
    #[account(mut)]
    pub funder: Signer<'info>,

    pub work: Box<Account<'info, Work>>,

    /// Vault of the mint, which admits it.
    pub vault: Box<Account<'info, Vault>>,

    #[account(
        init,
        payer = funder,
        space = Earnings::space(work.parents.len() + work.split.len()),
        seeds = [Earnings::SEED, work.key().as_ref(), vault.mint.as_ref()],
        bump,
    )]
    pub earnings: AccountLoader<'info, Earnings>,

    pub system_program: Program<'info, System>,
}

pub fn handle_open_earnings(ctx: Context<OpenEarnings>) -> Result<()> {
    let OpenEarnings { work, vault, earnings, .. } = ctx.accounts;
    {
        let mut earnings = earnings.load_init()?;
        earnings.version = Earnings::VERSION;
        earnings.bump = ctx.bumps.earnings;
        earnings.parents = work.parents.len() as u8; // at most 8
        earnings.split_version = work.split_version;
        earnings.work = work.key();
        earnings.mint = vault.mint;
        earnings.own_bps = work.own_bps();
    }
    let mut open = EarningsMut::open(earnings)?;
    open.parts.copy_from_slice(&first_parts(&work.parents, &work.split));
    Ok(())
}
