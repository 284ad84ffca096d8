use anchor_lang::prelude::*;

use crate::{
    error::LicensingError,
    event::ApprovalRevoked,
    state::{Approval, Terms, Work},
};

#[derive(Accounts)]
pub struct RevokeApproval<'info> {
    pub owner: Signer<'info>,

    #[account(has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(has_one = work)]
    pub terms: Box<Account<'info, Terms>>,

    #[account(mut, has_one = terms, has_one = granted_by, close = granted_by)]
    pub approval: Account<'info, Approval>,

    /// CHECK: the approval names it; it only gets its rent back.
    #[account(mut)]
    pub granted_by: UncheckedAccount<'info>,
}

pub fn handle_revoke_approval(ctx: Context<RevokeApproval>) -> Result<()> {
    let Approval { terms, grantee, purpose, .. } = *ctx.accounts.approval;
    emit!(ApprovalRevoked { terms, grantee, purpose });
    Ok(())
}
