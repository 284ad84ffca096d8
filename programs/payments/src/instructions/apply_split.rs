use anchor_lang::{
    prelude::*,
    system_program::{Transfer, transfer},
};
use licensing::{Work, WorkStatus};

use crate::{
    error::PaymentsError,
    event::SplitApplied,
    state::{Earnings, EarningsMut, EarningsRef, resplit},
};

#[derive(Accounts)]
pub struct ApplySplit<'info> {
    /// Pays for the room of recipients who are new; has no other part in it.
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
    require!(work.status != WorkStatus::Disputed, PaymentsError::EarningsDisputed);
    let change = {
        let old = EarningsRef::open(&accounts.earnings)?;
        let applied = old.earnings.split_version;
        require!(applied != work.split_version, PaymentsError::SplitUnchanged);
        let after_verdict = work.verdict_version > applied;
        resplit(&old.earnings, &old.parts, &work.split, after_verdict)?
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
    /// Grows the account where it is too small. It never shrinks: the room is for the next
    /// split.
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
