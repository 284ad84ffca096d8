use anchor_lang::{
    prelude::*,
    system_program::{Transfer, transfer},
};
use motif_interface::{
    licensing::{Work, WorkStatus},
    payments::{Earnings, PaymentsError, resplit},
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
    let change = {
        let old = EarningsRef::open(&accounts.earnings)?;
        let contested =
            work.status == WorkStatus::Disputed && old.earnings.dispute == work.disputes;
        require!(!contested, PaymentsError::EarningsDisputed);
        let applied = old.earnings.split_version;
        require!(applied != work.split_version, PaymentsError::SplitUnchanged);
        let judged = work.verdict_version > applied;
        resplit(&old.earnings, &old.parts, &work.split, judged)?
    };
    accounts.make_room(Earnings::space(change.parts.len()))?;
    EarningsMut::open(&accounts.earnings)?.replace(&change, work.split_version);
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
