use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    token_interface::{Mint, TokenAccount, TokenInterface},
};
use motif_interface::payments::Vault;

use crate::token::check_mint;

#[derive(Accounts)]
pub struct CreateVault<'info> {
    /// Any key; pays the rent.
    #[account(mut)]
    pub funder: Signer<'info>,

    #[account(mint::token_program = token_program)]
    pub mint: InterfaceAccount<'info, Mint>,

    #[account(
        init,
        payer = funder,
        space = Vault::SPACE,
        seeds = [Vault::SEED, mint.key().as_ref()],
        bump,
    )]
    pub vault: Account<'info, Vault>,

    /// `init_if_needed`: any key may have created the associated token account before.
    #[account(
        init_if_needed,
        payer = funder,
        associated_token::mint = mint,
        associated_token::authority = vault,
        associated_token::token_program = token_program,
    )]
    pub vault_tokens: InterfaceAccount<'info, TokenAccount>,

    pub token_program: Interface<'info, TokenInterface>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

pub fn handle_create_vault(ctx: Context<CreateVault>) -> Result<()> {
    check_mint(ctx.accounts.mint.as_ref())?;
    ctx.accounts.vault.set_inner(Vault {
        version: Vault::VERSION,
        bump: ctx.bumps.vault,
        decimals: ctx.accounts.mint.decimals,
        mint: ctx.accounts.mint.key(),
        token_program: ctx.accounts.token_program.key(),
        tokens: ctx.accounts.vault_tokens.key(),
    });
    Ok(())
}
