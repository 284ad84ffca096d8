use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use motif_interface::payments::{Channel, PaymentsError, Vault};

use crate::{clock::now, event::ChannelWithdrawn, token::VaultAccounts};

#[derive(Accounts)]
pub struct Withdraw<'info> {
    pub payer: Signer<'info>,

    #[account(mut, has_one = payer @ PaymentsError::NotPayer, has_one = mint)]
    pub channel: AccountLoader<'info, Channel>,

    /// Any token account: the payer signs.
    #[account(mut, token::mint = mint)]
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

pub fn handle_withdraw(ctx: Context<Withdraw>) -> Result<()> {
    let accounts = ctx.accounts;
    let refunded = accounts.channel.load_mut()?.withdraw(now()?)?;
    if refunded > 0 {
        let vault = VaultAccounts {
            vault: &accounts.vault,
            tokens: accounts.vault_tokens.to_account_info(),
            mint: accounts.mint.to_account_info(),
        };
        vault.transfer_out(accounts.destination.to_account_info(), refunded)?;
    }
    emit!(ChannelWithdrawn { channel: accounts.channel.key(), refunded });
    Ok(())
}
