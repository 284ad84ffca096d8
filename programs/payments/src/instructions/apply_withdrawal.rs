use anchor_lang::prelude::*;
use licensing::WorkHead;

use crate::{
    error::PaymentsError,
    event::WithdrawalApplied,
    state::{Channel, ChannelMut},
};

/// Remaining accounts: for each licence named, in the same order, its work.
#[derive(Accounts)]
pub struct ApplyWithdrawal<'info> {
    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_apply_withdrawal<'info>(
    ctx: Context<'info, ApplyWithdrawal<'info>>,
    licences: Vec<u16>,
) -> Result<()> {
    let works = ctx.remaining_accounts;
    require!(works.len() == licences.len(), PaymentsError::WorkAccounts);
    let channel = ctx.accounts.channel.key();
    let mut open = ChannelMut::open(&ctx.accounts.channel)?;
    for (index, account) in licences.iter().zip(works) {
        let licence = open.licences.get_mut(usize::from(*index));
        let licence = licence.ok_or(PaymentsError::UnknownLicence)?;
        require_keys_eq!(account.key(), licence.work, PaymentsError::WorkAccounts);
        let work = WorkHead::read(account)?;
        require!(work.withdrawn_at != i64::MAX, PaymentsError::WorkNotWithdrawn);
        licence.expires_at = work.licence_end(licence.expires_at, licence.notice_seconds);
        emit!(WithdrawalApplied { channel, index: *index, expires_at: licence.expires_at });
    }
    Ok(())
}
