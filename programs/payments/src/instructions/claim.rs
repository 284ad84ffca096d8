use anchor_lang::prelude::*;
use anchor_spl::associated_token;
use motif_interface::{
    earnings::Payee,
    licensing::WorkHead,
    payments::{Earnings, PaymentsError, Vault},
};
use solana_sha256_hasher::hashv;

use crate::{event::EarningsClaimed, state::EarningsMut, token::VaultAccounts};

/// Remaining accounts: one writable destination for each payee, in the same order.
///
/// All accounts are checked by addresses in the earnings and the vault, so that a payment costs
/// little more than its transfer.
#[derive(Accounts)]
pub struct Claim<'info> {
    #[account(mut, has_one = work, has_one = mint)]
    pub earnings: AccountLoader<'info, Earnings>,

    /// CHECK: `has_one` of the earnings; `WorkHead::read` checks owner and discriminator.
    pub work: UncheckedAccount<'info>,

    #[account(has_one = mint, has_one = token_program)]
    pub vault: Account<'info, Vault>,

    /// CHECK: token account of the vault, by address.
    #[account(mut, address = vault.tokens)]
    pub vault_tokens: UncheckedAccount<'info>,

    /// CHECK: `has_one` of earnings and vault.
    pub mint: UncheckedAccount<'info>,

    /// CHECK: `has_one` of the vault.
    pub token_program: UncheckedAccount<'info>,

    /// Recipient that signs to be paid to any token account; then every payee is this one.
    pub recipient: Option<Signer<'info>>,
}

pub fn handle_claim<'info>(ctx: Context<'info, Claim<'info>>, payees: Vec<Payee>) -> Result<()> {
    let accounts = &ctx.accounts;
    let destinations = ctx.remaining_accounts;
    require!(destinations.len() == payees.len(), PaymentsError::InvalidDestinations);
    let work = WorkHead::read(&accounts.work)?;
    let mut open = EarningsMut::open(&accounts.earnings)?;
    // Earnings can be claimed under the split of their time, unless a verdict has moved them.
    open.earnings.secure(&work)?;
    let own = open.earnings.own_contested;

    let vault = VaultAccounts {
        vault: &accounts.vault,
        tokens: accounts.vault_tokens.to_account_info(),
        mint: accounts.mint.to_account_info(),
    };
    let mut payout = vault.payout();
    let mut book = open.book();
    let mut paid = false;
    for (payee, destination) in payees.iter().zip(destinations) {
        let recipient = accounts.payee(payee, destination)?;
        let amount = book.claim(own, usize::from(payee.position), &recipient)?;
        // A payee may have been paid by an earlier transaction; the others are still paid.
        if amount > 0 {
            payout.pay(destination, amount)?;
            let (work, mint) = (accounts.work.key(), accounts.mint.key());
            EarningsClaimed { work, mint, recipient, amount }.log();
            paid = true;
        }
    }
    require!(paid, PaymentsError::NothingToClaim);
    Ok(())
}

impl<'info> Claim<'info> {
    /// Returns the recipient of a payment to `destination`.
    ///
    /// Without the recipient's signature, the destination must be its associated token account and
    /// still belong to it: the owner of a token account can change.
    fn payee(&self, payee: &Payee, destination: &AccountInfo<'info>) -> Result<Pubkey> {
        let to_itself = destination.key() == self.vault.tokens;
        require!(!to_itself, PaymentsError::DestinationIsVault);
        if let Some(recipient) = &self.recipient {
            return Ok(recipient.key());
        }
        let owner = token_owner(destination, &self.vault.token_program);
        let owner = owner.ok_or(PaymentsError::DestinationNotCanonical)?;
        let canonical = *destination.key.as_array() == self.associated(&owner, payee.bump);
        require!(canonical, PaymentsError::DestinationNotCanonical);
        Ok(owner)
    }

    /// Returns the address of the owner's associated token account with this bump.
    ///
    /// One hash instead of a search: no token account can exist at the address of a wrong bump.
    fn associated(&self, owner: &Pubkey, bump: u8) -> [u8; 32] {
        hashv(&[
            owner.as_ref(),
            self.vault.token_program.as_ref(),
            self.vault.mint.as_ref(),
            &[bump],
            associated_token::ID.as_ref(),
            b"ProgramDerivedAddress",
        ])
        .to_bytes()
    }
}

/// Returns the owner of a token account, which follows the mint in both token programs.
fn token_owner(account: &AccountInfo, token_program: &Pubkey) -> Option<Pubkey> {
    if account.owner != token_program {
        return None;
    }
    let data = account.try_borrow_data().ok()?;
    let owner = data.get(32..64)?;
    Some(Pubkey::new_from_array(owner.try_into().ok()?))
}
