use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use motif_interface::payments::{Operator, PaymentsError, Till, Vault};

use crate::{event::TillSwept, state::change_earnings, token::VaultAccounts};

/// Remaining accounts: the writable earnings of the till's works in its mint, in the same order.
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

    pub mint: Box<InterfaceAccount<'info, Mint>>,

    #[account(has_one = mint, has_one = token_program)]
    pub vault: Box<Account<'info, Vault>>,

    /// CHECK: token account of the vault, by address.
    #[account(mut, address = vault.tokens)]
    pub vault_tokens: UncheckedAccount<'info>,

    /// Operator of the till. Without this and the two accounts below, its part stays in the till:
    /// nothing it does to its token account keeps the works from theirs.
    #[account(
        constraint = operator.authority == till.shares.operator
            @ PaymentsError::InvalidOperatorAccount,
        has_one = fee_owner,
    )]
    pub operator: Option<Box<Account<'info, Operator>>>,

    /// CHECK: named by the operator.
    pub fee_owner: Option<UncheckedAccount<'info>>,

    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = fee_owner,
        associated_token::token_program = token_program,
    )]
    pub fee_tokens: Option<Box<InterfaceAccount<'info, TokenAccount>>>,

    pub token_program: Interface<'info, TokenInterface>,
}

pub fn handle_sweep_till<'info>(ctx: Context<'info, SweepTill<'info>>) -> Result<()> {
    let accounts = ctx.accounts;
    let fee_tokens = match (&accounts.operator, &accounts.fee_tokens) {
        (Some(_), Some(tokens)) => Some(tokens.to_account_info()),
        (None, None) => None,
        _ => return err!(PaymentsError::InvalidOperatorAccount),
    };
    let balance = accounts.till_tokens.amount;
    let sweep = accounts.till.sweep(balance, fee_tokens.is_some())?;
    let earnings = ctx.remaining_accounts;
    require!(earnings.len() == sweep.works.len(), PaymentsError::InvalidEarningsAccounts);
    for ((share, amount), account) in
        accounts.till.shares.works.iter().zip(&sweep.works).zip(earnings)
    {
        change_earnings(account, &share.work, &accounts.till.mint, |earnings| {
            Ok(earnings.credit(*amount)?)
        })?;
    }
    let vault = VaultAccounts {
        vault: &accounts.vault,
        tokens: accounts.vault_tokens.to_account_info(),
        mint: accounts.mint.to_account_info(),
    };
    let (till, amount) = (&accounts.till, sweep.works_total()?);
    let till_tokens = accounts.till_tokens.to_account_info();
    let vault_tokens = accounts.vault_tokens.to_account_info();
    if amount > 0 {
        vault.transfer_from_till(till, till_tokens.clone(), vault_tokens, amount)?;
    }
    if let Some(fee_tokens) = fee_tokens.filter(|_| sweep.operator > 0) {
        vault.transfer_from_till(till, till_tokens, fee_tokens, sweep.operator)?;
    }
    emit!(TillSwept { till: till.key(), mint: till.mint, amount, operator: sweep.operator });
    Ok(())
}
