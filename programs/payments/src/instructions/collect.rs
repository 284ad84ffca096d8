use anchor_lang::prelude::*;
use motif_interface::payments::{Channel, PaymentsError};

use crate::{
    event::LicensesCollected,
    state::{ChannelMut, change_earnings},
};

/// Remaining accounts: the writable earnings of each license's work in the channel's mint, in the
/// same order.
#[derive(Accounts)]
pub struct Collect<'info> {
    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_collect<'info>(
    ctx: Context<'info, Collect<'info>>,
    licenses: Vec<u16>,
) -> Result<()> {
    let accounts = ctx.remaining_accounts;
    require!(accounts.len() == licenses.len(), PaymentsError::InvalidEarningsAccounts);
    let mut open = ChannelMut::open(&ctx.accounts.channel)?;
    let mint = open.channel.mint;
    let mut amount: u64 = 0;
    for (index, account) in licenses.iter().zip(accounts) {
        let license = open.licenses.get_mut(usize::from(*index));
        let license = license.ok_or(PaymentsError::LicenseNotFound)?;
        let work = license.work;
        let credit = change_earnings(account, &work, &mint, |earnings| {
            let credit = license.collect();
            earnings.credit(credit)?;
            Ok(credit)
        })?;
        amount = amount.checked_add(credit).ok_or(PaymentsError::Overflow)?;
    }
    open.channel.collect(amount)?;
    drop(open); // Anchor writes the account's discriminator at exit
    LicensesCollected { channel: ctx.accounts.channel.key(), amount }.log();
    Ok(())
}
