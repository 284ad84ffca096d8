use anchor_lang::prelude::*;
use motif_interface::{operator::RegisterOperatorArgs, payments::Operator};

use crate::event::OperatorRegistered;

#[derive(Accounts)]
pub struct RegisterOperator<'info> {
    /// Any key; pays the rent.
    #[account(mut)]
    pub funder: Signer<'info>,

    pub authority: Signer<'info>,

    #[account(
        init,
        payer = funder,
        space = Operator::SPACE,
        seeds = [Operator::SEED, authority.key().as_ref()],
        bump,
    )]
    pub operator: Box<Account<'info, Operator>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_register_operator(
    ctx: Context<RegisterOperator>,
    args: RegisterOperatorArgs,
) -> Result<()> {
    let RegisterOperatorArgs { settle_key, receipt_key, terms } = args;
    let authority = ctx.accounts.authority.key();
    let now = Clock::get()?.unix_timestamp;
    let keys = [settle_key, receipt_key];
    let operator = Operator::new(ctx.bumps.operator, authority, keys, terms, now)?;
    let url = operator.url.clone();
    ctx.accounts.operator.set_inner(operator);
    emit!(OperatorRegistered { authority, settle_key, receipt_key, url });
    Ok(())
}
