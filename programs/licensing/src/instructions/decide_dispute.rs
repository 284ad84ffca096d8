use anchor_lang::prelude::*;
use motif_interface::licensing::{Config, Dispute, LicensingError, Verdict, Work};

use crate::event::DisputeEnded;

#[derive(Accounts)]
pub struct DecideDispute<'info> {
    pub arbiter: Signer<'info>,

    #[account(has_one = arbiter @ LicensingError::NotArbiter)]
    pub config: Box<Account<'info, Config>>,

    #[account(mut, has_one = owner)]
    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work, has_one = claimant, close = claimant)]
    pub dispute: Box<Account<'info, Dispute>>,

    /// CHECK: `has_one` of the work; receives the bond if the claim is rejected.
    #[account(mut)]
    pub owner: UncheckedAccount<'info>,

    /// CHECK: `has_one` of the dispute; receives its rent, and the bond if the claim is upheld.
    #[account(mut)]
    pub claimant: UncheckedAccount<'info>,
}

pub fn handle_decide_dispute(ctx: Context<DecideDispute>, verdict: Verdict) -> Result<()> {
    let DecideDispute { work, dispute, owner, .. } = ctx.accounts;
    dispute.require_decidable(&verdict, Clock::get()?.unix_timestamp)?;
    work.end_dispute(dispute, verdict)?;
    if verdict == Verdict::Rejected {
        dispute.sub_lamports(dispute.bond_lamports)?;
        owner.add_lamports(dispute.bond_lamports)?;
    }
    emit!(DisputeEnded { work: work.key(), claimant: dispute.claimant, verdict, expired: false });
    Ok(())
}
