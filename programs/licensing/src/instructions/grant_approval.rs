use anchor_lang::prelude::*;
use motif_interface::licensing::{Approval, GrantApprovalArgs, LicensingError, Terms, Work};

use crate::event::ApprovalGranted;

#[derive(Accounts)]
#[instruction(args: GrantApprovalArgs)]
pub struct GrantApproval<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,

    #[account(has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(has_one = work)]
    pub terms: Box<Account<'info, Terms>>,

    #[account(
        init,
        payer = owner,
        space = Approval::SPACE,
        seeds = [
            Approval::SEED,
            terms.key().as_ref(),
            args.grantee.as_ref(),
            &[args.purpose as u8],
        ],
        bump,
    )]
    pub approval: Account<'info, Approval>,

    pub system_program: Program<'info, System>,
}

pub fn handle_grant_approval(ctx: Context<GrantApproval>, args: GrantApprovalArgs) -> Result<()> {
    ctx.accounts.work.require_active()?;
    let GrantApprovalArgs { purpose, grantee } = args;
    let terms = ctx.accounts.terms.key();
    ctx.accounts.approval.set_inner(Approval {
        version: Approval::VERSION,
        bump: ctx.bumps.approval,
        terms,
        grantee,
        purpose,
        granted_by: ctx.accounts.owner.key(),
        granted_at: Clock::get()?.unix_timestamp,
    });
    emit!(ApprovalGranted { terms, grantee, purpose });
    Ok(())
}
