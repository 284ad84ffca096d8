use anchor_lang::prelude::*;

use crate::{
    event::DisputeEnded,
    state::{Dispute, Verdict, Work},
};

/// Nobody signs: anybody may say that time has passed.
#[derive(Accounts)]
pub struct ExpireDispute<'info> {
    #[account(mut, has_one = owner)]
    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work, has_one = claimant, close = claimant)]
    pub dispute: Box<Account<'info, Dispute>>,

    /// CHECK: the work names it; it gets the bond.
    #[account(mut)]
    pub owner: UncheckedAccount<'info>,

    /// CHECK: the dispute names it; it gets its rent back.
    #[account(mut)]
    pub claimant: UncheckedAccount<'info>,
}

pub fn handle_expire_dispute(ctx: Context<ExpireDispute>) -> Result<()> {
    let ExpireDispute { work, dispute, owner, .. } = ctx.accounts;
    dispute.require_overdue(Clock::get()?.unix_timestamp)?;
    work.end_dispute(dispute, Verdict::Rejected)?;
    dispute.sub_lamports(dispute.bond_lamports)?;
    owner.add_lamports(dispute.bond_lamports)?;
    emit!(DisputeEnded {
        work: work.key(),
        claimant: dispute.claimant,
        verdict: Verdict::Rejected,
        expired: true,
    });
    Ok(())
}
