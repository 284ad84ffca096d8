use anchor_lang::{
    prelude::*,
    system_program::{Transfer, transfer},
};
use motif_interface::licensing::{Config, Dispute, LicensingError, OpenDisputeArgs, Work};

use crate::event::DisputeOpened;

#[derive(Accounts)]
#[instruction(args: OpenDisputeArgs)]
pub struct OpenDispute<'info> {
    #[account(mut)]
    pub claimant: Signer<'info>,

    pub config: Box<Account<'info, Config>>,

    #[account(mut)]
    pub work: Box<Account<'info, Work>>,

    #[account(
        init,
        payer = claimant,
        space = Dispute::space(args.evidence_uri.len()),
        seeds = [Dispute::SEED, work.key().as_ref()],
        bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_open_dispute(ctx: Context<OpenDispute>, args: OpenDisputeArgs) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let short = args.evidence_uri.len() <= Dispute::MAX_URI_BYTES;
    require!(short, LicensingError::UriTooLong);
    let claimant = ctx.accounts.claimant.key();
    let status_before = ctx.accounts.work.dispute(&claimant)?;
    let bond_lamports = ctx.accounts.config.dispute_bond_lamports;
    require!(bond_lamports <= args.max_bond, LicensingError::BondAboveMaximum);
    let deadline = now.checked_add(i64::from(ctx.accounts.config.dispute_seconds));
    let deadline = deadline.ok_or(LicensingError::CounterOverflow)?;
    ctx.accounts.pay_bond(bond_lamports)?;

    let work = ctx.accounts.work.key();
    ctx.accounts.dispute.set_inner(Dispute {
        version: Dispute::VERSION,
        bump: ctx.bumps.dispute,
        work,
        claimant,
        bond_lamports,
        opened_at: now,
        deadline,
        status_before,
        evidence_digest: args.evidence_digest,
        evidence_uri: args.evidence_uri,
    });
    emit!(DisputeOpened { work, claimant, bond_lamports, deadline });
    Ok(())
}

impl OpenDispute<'_> {
    fn pay_bond(&self, lamports: u64) -> Result<()> {
        let accounts =
            Transfer { from: self.claimant.to_account_info(), to: self.dispute.to_account_info() };
        transfer(CpiContext::new(self.system_program.key(), accounts), lamports)
    }
}
