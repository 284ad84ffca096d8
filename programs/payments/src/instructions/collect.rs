use anchor_lang::prelude::*;
use motif_interface::payments::{Channel, Earnings, License, PaymentsError};

use crate::{event::LicensesCollected, state::ChannelMut};

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
        let credit = collect_one(license, &mint, account)?;
        amount = amount.checked_add(credit).ok_or(PaymentsError::Overflow)?;
    }
    open.channel.collect(amount)?;
    drop(open); // Anchor writes the account's discriminator at exit
    LicensesCollected { channel: ctx.accounts.channel.key(), amount }.log();
    Ok(())
}

/// Moves the new credit of one license. The borrow of the earnings ends here: two licenses may be
/// of the same work.
fn collect_one<'info>(
    license: &mut License,
    mint: &Pubkey,
    account: &'info AccountInfo<'info>,
) -> Result<u64> {
    require!(account.is_writable, PaymentsError::InvalidEarningsAccounts);
    let earnings: AccountLoader<Earnings> = AccountLoader::try_from(account)?;
    let mut earnings = earnings.load_mut()?;
    let matching = earnings.work == license.work && earnings.mint == *mint;
    require!(matching, PaymentsError::InvalidEarningsAccounts);
    let credit = license.collect();
    earnings.credit(credit)?;
    Ok(credit)
}
