use anchor_lang::prelude::*;
use motif_interface::licensing::{AcceptOwnershipArgs, Work};

use crate::event::OwnershipChanged;

#[derive(Accounts)]
pub struct AcceptOwnership<'info> {
    pub accepter: Signer<'info>,

    #[account(mut)]
    pub work: Box<Account<'info, Work>>,
}

pub fn handle_accept_ownership(
    ctx: Context<AcceptOwnership>,
    expected: AcceptOwnershipArgs,
) -> Result<()> {
    let owner = ctx.accounts.accepter.key();
    ctx.accounts.work.accept_ownership(owner, &expected)?;
    emit!(OwnershipChanged { work: ctx.accounts.work.key(), owner });
    Ok(())
}
