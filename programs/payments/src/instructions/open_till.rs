use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    token_interface::{Mint, TokenAccount, TokenInterface},
};
use motif_interface::{
    licensing::WorkHead,
    payments::{Operator, PaymentsError, Till, TillShares, Vault},
};

/// Remaining accounts: the works of the shares, in the same order.
#[derive(Accounts)]
#[instruction(shares: TillShares)]
pub struct OpenTill<'info> {
    /// Any key; pays the rent.
    #[account(mut)]
    pub funder: Signer<'info>,

    pub mint: Box<InterfaceAccount<'info, Mint>>,

    /// Vault of the mint, which admits it.
    #[account(has_one = mint, has_one = token_program)]
    pub vault: Box<Account<'info, Vault>>,

    /// Operator of the shares, if they have one.
    pub operator: Option<Box<Account<'info, Operator>>>,

    #[account(
        init,
        payer = funder,
        space = Till::space(shares.works.len()),
        seeds = [Till::SEED, shares.operator.as_ref(), mint.key().as_ref(), &shares.digest()],
        bump,
    )]
    pub till: Box<Account<'info, Till>>,

    /// `init_if_needed`: any key may have created the associated token account before.
    #[account(
        init_if_needed,
        payer = funder,
        associated_token::mint = mint,
        associated_token::authority = till,
        associated_token::token_program = token_program,
    )]
    pub till_tokens: Box<InterfaceAccount<'info, TokenAccount>>,

    pub token_program: Interface<'info, TokenInterface>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

pub fn handle_open_till<'info>(
    ctx: Context<'info, OpenTill<'info>>,
    shares: TillShares,
) -> Result<()> {
    shares.check()?;
    let operator = ctx.accounts.operator.as_ref();
    let operator = operator.map_or_else(Pubkey::default, |operator| operator.authority);
    require!(operator == shares.operator, PaymentsError::InvalidOperatorAccount);
    let works = ctx.remaining_accounts;
    require!(works.len() == shares.works.len(), PaymentsError::InvalidWorkAccounts);
    for (share, work) in shares.works.iter().zip(works) {
        require_keys_eq!(work.key(), share.work, PaymentsError::InvalidWorkAccounts);
        WorkHead::read(work)?;
    }
    let mint = ctx.accounts.mint.key();
    ctx.accounts.till.set_inner(Till::new(ctx.bumps.till, mint, shares));
    Ok(())
}
