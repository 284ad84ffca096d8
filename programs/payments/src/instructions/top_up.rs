use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use motif_interface::payments::{Channel, PaymentsError, Vault};

use crate::{event::ChannelToppedUp, token::VaultAccounts};

#[derive(Accounts)]
pub struct TopUp<'info> {
    pub payer: Signer<'info>,

    #[account(mut, has_one = payer @ PaymentsError::NotPayer, has_one = mint)]
    pub channel: AccountLoader<'info, Channel>,

    pub mint: InterfaceAccount<'info, Mint>,

    #[account(has_one = mint, has_one = token_program)]
    pub vault: Account<'info, Vault>,

    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = vault,
        associated_token::token_program = token_program,
    )]
    pub vault_tokens: InterfaceAccount<'info, TokenAccount>,

    #[account(mut, token::mint = mint, token::authority = payer)]
    pub payer_tokens: InterfaceAccount<'info, TokenAccount>,

    pub token_program: Interface<'info, TokenInterface>,
}

pub fn handle_top_up(ctx: Context<TopUp>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let deposited = {
        let mut channel = accounts.channel.load_mut()?;
        channel.top_up(amount)?;
        channel.deposited
    };
    let vault = VaultAccounts {
        vault: &accounts.vault,
        tokens: accounts.vault_tokens.to_account_info(),
        mint: accounts.mint.to_account_info(),
    };
    let from = accounts.payer_tokens.to_account_info();
    vault.transfer_in(from, accounts.payer.to_account_info(), amount)?;
    emit!(ChannelToppedUp { channel: accounts.channel.key(), amount, deposited });
    Ok(())
}
