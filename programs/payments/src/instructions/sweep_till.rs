use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use motif_interface::payments::{Earnings, PaymentsError, Till, Vault};

use crate::{event::TillSwept, token::VaultAccounts};

#[derive(Accounts)]
pub struct SweepTill<'info> {
    #[account(mut, has_one = mint)]
    pub till: Box<Account<'info, Till>>,

    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = till,
        associated_token::token_program = token_program,
    )]
    pub till_tokens: Box<InterfaceAccount<'info, TokenAccount>>,

    #[account(
        mut,
        has_one = mint,
        constraint = earnings.load()?.work == till.work @ PaymentsError::InvalidEarningsAccounts,
    )]
    pub earnings: AccountLoader<'info, Earnings>,

    pub mint: Box<InterfaceAccount<'info, Mint>>,

    #[account(has_one = mint, has_one = token_program)]
    pub vault: Box<Account<'info, Vault>>,

    /// CHECK: token account of the vault, by address.
    #[account(mut, address = vault.tokens)]
    pub vault_tokens: UncheckedAccount<'info>,

    pub token_program: Interface<'info, TokenInterface>,
}

pub fn handle_sweep_till(ctx: Context<SweepTill>) -> Result<()> {
    let amount = ctx.accounts.till_tokens.amount;
    ctx.accounts.till.sweep(amount)?;
    ctx.accounts.earnings.load_mut()?.credit(amount)?;
    let till = &ctx.accounts.till;
    let vault = VaultAccounts {
        vault: &ctx.accounts.vault,
        tokens: ctx.accounts.vault_tokens.to_account_info(),
        mint: ctx.accounts.mint.to_account_info(),
    };
    vault.transfer_in_from_till(till, ctx.accounts.till_tokens.to_account_info(), amount)?;
    emit!(TillSwept { work: till.work, mint: till.mint, amount });
    Ok(())
}
