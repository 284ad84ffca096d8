use anchor_lang::prelude::*;
use motif_interface::licensing::{LicensingError, ProposeSplitArgs, SplitChange, Work};

use crate::event::SplitProposed;

#[derive(Accounts)]
#[instruction(args: ProposeSplitArgs)]
pub struct ProposeSplit<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,

    #[account(has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(
        init,
        payer = owner,
        space = SplitChange::space(usize::from(args.recipients)),
        seeds = [SplitChange::SEED, work.key().as_ref()],
        bump,
    )]
    pub split_change: Box<Account<'info, SplitChange>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_propose_split(ctx: Context<ProposeSplit>, args: ProposeSplitArgs) -> Result<()> {
    let ProposeSplitArgs { recipients, expires_at, shares } = args;
    let (work, address) = (&ctx.accounts.work, ctx.accounts.work.key());
    work.require_undisputed()?;
    let bump = ctx.bumps.split_change;
    let mut change = SplitChange::new(address, work, recipients, expires_at, bump)?;
    change.extend(work, &shares)?;
    emit!(SplitProposed { work: address, split_version: change.split_version, recipients });
    ctx.accounts.split_change.set_inner(change);
    Ok(())
}
