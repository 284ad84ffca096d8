use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::get_associated_token_address_with_program_id,
    token_interface::{Mint, TokenAccount, TokenInterface},
};

use crate::{
    custody::Custody,
    error::PaymentsError,
    event::EarningsClaimed,
    state::{Earnings, Vault},
};

#[derive(Accounts)]
pub struct Claim<'info> {
    /// CHECK: must stand in the split, which the handler checks. Its signature is needed only
    /// to be paid elsewhere than to its own associated token account.
    pub recipient: UncheckedAccount<'info>,

    #[account(mut, has_one = mint)]
    pub earnings: Box<Account<'info, Earnings>>,

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

pub fn handle_claim(ctx: Context<Claim>) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.check_destination()?;
    let recipient = accounts.recipient.key();
    let amount = accounts.earnings.claim(&recipient)?;
    let custody = Custody {
        vault: &accounts.vault,
        vault_tokens: &accounts.vault_tokens,
        mint: &accounts.mint,
        token_program: &accounts.token_program,
    };
    custody.pay_out(&accounts.destination, amount)?;
    emit!(EarningsClaimed {
        work: accounts.earnings.work,
        mint: accounts.earnings.mint,
        recipient,
        amount,
    });
    Ok(())
}

impl Claim<'_> {
    /// Anybody may have a recipient paid, but only where it expects money: the account at its
    /// canonical address, and still its own (an account can be given away).
    fn check_destination(&self) -> Result<()> {
        if self.recipient.is_signer {
            return Ok(());
        }
        let canonical = get_associated_token_address_with_program_id(
            &self.recipient.key(),
            &self.mint.key(),
            &self.token_program.key(),
        );
        let own =
            self.destination.key() == canonical && self.destination.owner == self.recipient.key();
        require!(own, PaymentsError::DestinationNotCanonical);
        Ok(())
    }
}
