use anchor_lang::prelude::*;
use anchor_spl::token_interface::{
    Mint, TokenAccount, TokenInterface, TransferChecked, transfer_checked,
};

use crate::{
    error::PaymentsError,
    event::TillSwept,
    state::{Earnings, Till, Vault},
};

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

    /// CHECK: the vault's own tokens, by their address.
    #[account(mut, address = vault.tokens)]
    pub vault_tokens: UncheckedAccount<'info>,

    pub token_program: Interface<'info, TokenInterface>,
}

pub fn handle_sweep_till(ctx: Context<SweepTill>) -> Result<()> {
    let amount = ctx.accounts.till_tokens.amount;
    ctx.accounts.till.sweep(amount)?;
    ctx.accounts.earnings.load_mut()?.credit(amount)?;
    ctx.accounts.transfer(amount)?;
    let till = &ctx.accounts.till;
    emit!(TillSwept { work: till.work, mint: till.mint, amount });
    Ok(())
}

impl SweepTill<'_> {
    fn transfer(&self, amount: u64) -> Result<()> {
        let accounts = TransferChecked {
            from: self.till_tokens.to_account_info(),
            mint: self.mint.to_account_info(),
            to: self.vault_tokens.to_account_info(),
            authority: self.till.to_account_info(),
        };
        let Till { work, mint, bump, .. } = &**self.till;
        let seeds: &[&[u8]] = &[Till::SEED, work.as_ref(), mint.as_ref(), &[*bump]];
        let signer = &[seeds];
        let cpi = CpiContext::new_with_signer(self.token_program.key(), accounts, signer);
        transfer_checked(cpi, amount, self.mint.decimals)
    }
}
