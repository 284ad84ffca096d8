use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use motif_interface::payments::{Channel, Operator, PaymentsError, Vault};

use crate::{event::FeesClaimed, token::VaultAccounts};

#[derive(Accounts)]
pub struct ClaimFees<'info> {
    #[account(
        mut,
        has_one = mint,
        constraint = channel.load()?.operator == operator.authority
            @ PaymentsError::InvalidOperatorAccount,
    )]
    pub channel: AccountLoader<'info, Channel>,

    #[account(has_one = fee_owner)]
    pub operator: Box<Account<'info, Operator>>,

    /// CHECK: named by the operator.
    pub fee_owner: UncheckedAccount<'info>,

    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = fee_owner,
        associated_token::token_program = token_program,
    )]
    pub destination: Box<InterfaceAccount<'info, TokenAccount>>,

    pub mint: Box<InterfaceAccount<'info, Mint>>,

    #[account(has_one = mint, has_one = token_program)]
    pub vault: Box<Account<'info, Vault>>,

    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = vault,
        associated_token::token_program = token_program,
    )]
    pub vault_tokens: Box<InterfaceAccount<'info, TokenAccount>>,

    pub token_program: Interface<'info, TokenInterface>,
}

pub fn handle_claim_fees(ctx: Context<ClaimFees>) -> Result<()> {
    let accounts = ctx.accounts;
    let amount = accounts.channel.load_mut()?.claim_fees()?;
    let vault = VaultAccounts {
        vault: &accounts.vault,
        tokens: accounts.vault_tokens.to_account_info(),
        mint: accounts.mint.to_account_info(),
    };
    vault.transfer_out(accounts.destination.to_account_info(), amount)?;
    emit!(FeesClaimed { channel: accounts.channel.key(), amount });
    Ok(())
}
