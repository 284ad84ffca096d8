use anchor_lang::{
    prelude::*,
    system_program::{Transfer, transfer},
};
use motif_interface::{
    licensing::{Work, WorkStatus},
    payments::{Contested, Earnings, PaymentsError, reparent, resplit},
};

use crate::{
    event::SplitApplied,
    state::{EarningsMut, EarningsRef},
};

#[derive(Accounts)]
pub struct ApplySplit<'info> {
    /// Any key; pays for the parts of new recipients.
    #[account(mut)]
    pub funder: Signer<'info>,

    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work)]
    pub earnings: AccountLoader<'info, Earnings>,

    pub system_program: Program<'info, System>,
}

pub fn handle_apply_split(ctx: Context<ApplySplit>) -> Result<()> {
    let accounts = &ctx.accounts;
    let work = &accounts.work;
    let (change, parents) = {
        let old = EarningsRef::open(&accounts.earnings)?;
        let contested =
            work.status == WorkStatus::Disputed && old.earnings.dispute == work.disputes;
        require!(!contested, PaymentsError::EarningsDisputed);
        let applied = old.earnings.split_version;
        require!(applied != work.split_version, PaymentsError::SplitUnchanged);
        let judged = work.verdict_version > applied;
        let told = old.earnings.dispute == work.verdict_dispute;
        // The account cannot tell the owner's unclaimed share from that of recipients who stay.
        let keeps_all = !told && work.verdict_keeps_recipients;
        let contested = if keeps_all { Contested::Nothing } else { Contested::Unsecured };
        let parts = &old.parts[..work.parents.len()];
        let parents = reparent(&old.earnings, parts, &work.parents);
        let verdict = judged.then_some(contested);
        (resplit(&old.earnings, &old.parts, &work.split, verdict)?, parents)
    };
    accounts.make_room(Earnings::space(change.parts.len()))?;
    let mut open = EarningsMut::open(&accounts.earnings)?;
    open.replace(&change, work.split_version);
    if let Some(parents) = parents {
        open.reparent(&parents);
    }
    drop(open);
    emit!(SplitApplied {
        work: work.key(),
        mint: accounts.earnings.load()?.mint,
        split_version: work.split_version,
    });
    Ok(())
}

impl ApplySplit<'_> {
    /// Grows the account if it is too small. It never shrinks: a later split may use the room.
    fn make_room(&self, space: usize) -> Result<()> {
        let account: &AccountInfo = self.earnings.as_ref();
        if account.data_len() >= space {
            return Ok(());
        }
        let missing = Rent::get()?.minimum_balance(space).saturating_sub(account.lamports());
        if missing > 0 {
            let accounts =
                Transfer { from: self.funder.to_account_info(), to: account.to_account_info() };
            transfer(CpiContext::new(self.system_program.key(), accounts), missing)?;
        }
        Ok(account.resize(space)?)
    }
}
