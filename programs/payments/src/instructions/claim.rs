use anchor_lang::{
    prelude::*,
    solana_program::{
        instruction::{AccountMeta, Instruction},
        program::invoke_signed_unchecked,
    },
};
use anchor_spl::associated_token;
use licensing::WorkHead;
use solana_sha256_hasher::hashv;

use crate::{
    error::PaymentsError,
    event::EarningsClaimed,
    state::{Earnings, EarningsMut, Vault},
};

/// One recipient to pay.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payee {
    /// Where the recipient stood among the parts when the call was made. Only a hint: it is
    /// looked for where a split has moved it.
    pub position: u8,
    /// Of the recipient's associated token account; read only where the recipient does not sign.
    pub bump: u8,
}

/// Remaining accounts: one destination for each payee, in the same order, writable.
///
/// Everything is pinned by addresses that earnings and vault keep, so that a payment costs
/// little more than its transfer.
#[derive(Accounts)]
pub struct Claim<'info> {
    #[account(mut, has_one = work, has_one = mint)]
    pub earnings: AccountLoader<'info, Earnings>,

    /// CHECK: the work of the earnings, by its address; `WorkHead` checks owner and type.
    pub work: UncheckedAccount<'info>,

    #[account(has_one = mint, has_one = token_program)]
    pub vault: Account<'info, Vault>,

    /// CHECK: the vault's own tokens, by their address.
    #[account(mut, address = vault.tokens)]
    pub vault_tokens: UncheckedAccount<'info>,

    /// CHECK: earnings and vault name it.
    pub mint: UncheckedAccount<'info>,

    /// CHECK: the vault names it.
    pub token_program: UncheckedAccount<'info>,

    /// Signs to be paid elsewhere than to its own associated token account; then every payee is
    /// this one.
    pub recipient: Option<Signer<'info>>,
}

pub fn handle_claim<'info>(ctx: Context<'info, Claim<'info>>, payees: Vec<Payee>) -> Result<()> {
    let accounts = &ctx.accounts;
    let destinations = ctx.remaining_accounts;
    require!(destinations.len() == payees.len(), PaymentsError::InvalidDestinations);
    let work = WorkHead::read(&accounts.work)?;
    let mut open = EarningsMut::open(&accounts.earnings)?;
    // Under the split it was earned under, money can be had at any time; a verdict may have
    // given it to somebody else.
    let undecided = work.verdict_version <= open.earnings.split_version;
    require!(undecided, PaymentsError::SplitNotApplied);
    let own = open.earnings.claimable(&work)?;

    let mut book = open.book();
    let mut paid = false;
    for (payee, destination) in payees.iter().zip(destinations) {
        let recipient = accounts.payee(payee, destination)?;
        let amount = book.claim(own, usize::from(payee.position), &recipient)?;
        // Somebody else may have had one of them paid a moment ago; the others still are.
        if amount > 0 {
            accounts.pay(destination, amount)?;
            let (work, mint) = (accounts.work.key(), accounts.mint.key());
            emit!(EarningsClaimed { work, mint, recipient, amount });
            paid = true;
        }
    }
    require!(paid, PaymentsError::NothingToClaim);
    Ok(())
}

impl<'info> Claim<'info> {
    /// Whom a payment to `destination` is for.
    ///
    /// Anybody may have a recipient paid, but only where it expects money: the account at its
    /// canonical address, and still its own (an account can be given away).
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

    /// Address of the owner's associated token account.
    ///
    /// One hash instead of a search: the bump comes from outside, and a wrong one leads to an
    /// address at which nobody can have created a token account.
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

    /// `TransferChecked` of the token program: 12, amount, decimals.
    fn pay(&self, destination: &AccountInfo<'info>, amount: u64) -> Result<()> {
        let mut data = Vec::with_capacity(10);
        data.push(12);
        data.extend_from_slice(&amount.to_le_bytes());
        data.push(self.vault.decimals);
        let transfer = Instruction {
            program_id: self.vault.token_program,
            accounts: vec![
                AccountMeta::new(self.vault.tokens, false),
                AccountMeta::new_readonly(self.vault.mint, false),
                AccountMeta::new(destination.key(), false),
                AccountMeta::new_readonly(self.vault.key(), true),
            ],
            data,
        };
        let infos = [
            self.vault_tokens.to_account_info(),
            self.mint.to_account_info(),
            destination.clone(),
            self.vault.to_account_info(),
        ];
        let seeds: &[&[u8]] = &[Vault::SEED, self.vault.mint.as_ref(), &[self.vault.bump]];
        // Unchecked: none of these accounts is borrowed here.
        Ok(invoke_signed_unchecked(&transfer, &infos, &[seeds])?)
    }
}

/// Owner of a token account: behind its mint, in both token programs.
fn token_owner(account: &AccountInfo, token_program: &Pubkey) -> Option<Pubkey> {
    if account.owner != token_program {
        return None;
    }
    let data = account.try_borrow_data().ok()?;
    let owner = data.get(32..64)?;
    Some(Pubkey::new_from_array(owner.try_into().ok()?))
}
