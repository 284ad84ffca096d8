use anchor_lang::prelude::*;
use motif_interface::licensing::{Approval, LicensingError, Terms, Work};

use crate::event::ApprovalRevoked;

#[derive(Accounts)]
pub struct RevokeApproval<'info> {
    pub owner: Signer<'info>,

    #[account(has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(has_one = work)]
    pub terms: Box<Account<'info, Terms>>,

    #[account(mut, has_one = terms, has_one = granted_by, close = granted_by)]
    pub approval: Account<'info, Approval>,

    /// CHECK: `has_one` of the approval; receives its rent.
    #[account(mut)]
    pub granted_by: UncheckedAccount<'info>,
}

pub fn handle_revoke_approval(ctx: Context<RevokeApproval>) -> Result<()> {
    let Approval { terms, grantee, purpose, .. } = *ctx.accounts.approval;
    emit!(ApprovalRevoked { terms, grantee, purpose });
    Ok(())
}
