use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    token_interface::{Mint, TokenAccount, TokenInterface},
};
use motif_interface::{
    licensing::Work,
    payments::{Till, Vault},
};

#[derive(Accounts)]
pub struct OpenTill<'info> {
    /// Any key; pays the rent.
    #[account(mut)]
    pub funder: Signer<'info>,

    pub work: Box<Account<'info, Work>>,

    pub mint: Box<InterfaceAccount<'info, Mint>>,

    /// Vault of the mint, which admits it.
    #[account(has_one = mint, has_one = token_program)]
    pub vault: Box<Account<'info, Vault>>,

    #[account(
        init,
        payer = funder,
        space = Till::SPACE,
        seeds = [Till::SEED, work.key().as_ref(), mint.key().as_ref()],
        bump,
    )]
    pub till: Box<Account<'info, Till>>,

    /// `init_if_needed`: any key may have created the associated token account before.
    #[account(
        init_if_needed,
        payer = funder,
        associated_token::mint = mint,
        associated_token::authority = till,
        associated_token::token_program = token_program,
    )]
    pub till_tokens: Box<InterfaceAccount<'info, TokenAccount>>,

    pub token_program: Interface<'info, TokenInterface>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

pub fn handle_open_till(ctx: Context<OpenTill>) -> Result<()> {
    let till = Till {
        version: Till::VERSION,
        bump: ctx.bumps.till,
        work: ctx.accounts.work.key(),
        mint: ctx.accounts.mint.key(),
        swept: 0,
    };
    ctx.accounts.till.set_inner(till);
    Ok(())
}
