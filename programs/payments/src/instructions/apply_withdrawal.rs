use anchor_lang::prelude::*;
use motif_interface::{
    licensing::WorkHead,
    payments::{Channel, License, PaymentsError},
};

use crate::{event::WithdrawalApplied, state::ChannelMut};

/// Remaining accounts: the work of each license, in the same order.
#[derive(Accounts)]
pub struct ApplyWithdrawal<'info> {
    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_apply_withdrawal<'info>(
    ctx: Context<'info, ApplyWithdrawal<'info>>,
    licenses: Vec<u16>,
) -> Result<()> {
    let works = ctx.remaining_accounts;
    require!(works.len() == licenses.len(), PaymentsError::InvalidWorkAccounts);
    let now = Clock::get()?.unix_timestamp;
    let channel = ctx.accounts.channel.key();
    let mut open = ChannelMut::open(&ctx.accounts.channel)?;
    for (index, account) in licenses.iter().zip(works) {
        let license = open.licenses.get_mut(usize::from(*index));
        let license = license.ok_or(PaymentsError::LicenseNotFound)?;
        require_keys_eq!(account.key(), license.work, PaymentsError::InvalidWorkAccounts);
        let work = WorkHead::read(account)?;
        require!(work.withdrawn_at != i64::MAX, PaymentsError::WorkNotWithdrawn);
        let License { expires_at, terms_number, notice_seconds, .. } = *license;
        let notice_end = work.license_end(expires_at, terms_number, notice_seconds);
        license.expires_at = open.channel.withdrawal_end(expires_at, notice_end, now);
        emit!(WithdrawalApplied { channel, index: *index, expires_at: license.expires_at });
    }
    Ok(())
}
