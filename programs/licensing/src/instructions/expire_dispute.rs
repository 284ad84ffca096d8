use anchor_lang::prelude::*;
use motif_interface::licensing::{Dispute, Verdict, Work};

use crate::event::DisputeEnded;

/// Permissionless: no account signs.
#[derive(Accounts)]
pub struct ExpireDispute<'info> {
    #[account(mut, has_one = owner)]
    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work, has_one = claimant, close = claimant)]
    pub dispute: Box<Account<'info, Dispute>>,

    /// CHECK: `has_one` of the work; receives the bond.
    #[account(mut)]
    pub owner: UncheckedAccount<'info>,

    /// CHECK: `has_one` of the dispute; receives its rent.
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
