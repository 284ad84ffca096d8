use anchor_lang::prelude::*;

use crate::{
    error::PaymentsError,
    event::LicencesCollected,
    state::{Channel, ChannelMut, Earnings, Licence},
};

/// Remaining accounts: for each licence named, in the same order, the earnings account of its
/// work in the channel's mint, writable.
#[derive(Accounts)]
pub struct Collect<'info> {
    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_collect<'info>(
    ctx: Context<'info, Collect<'info>>,
    licences: Vec<u16>,
) -> Result<()> {
    let accounts = ctx.remaining_accounts;
    require!(accounts.len() == licences.len(), PaymentsError::EarningsAccounts);
    let mut open = ChannelMut::open(&ctx.accounts.channel)?;
    let mint = open.channel.mint;
    let mut amount: u64 = 0;
    for (index, account) in licences.iter().zip(accounts) {
        let licence = open.licences.get_mut(usize::from(*index));
        let licence = licence.ok_or(PaymentsError::UnknownLicence)?;
        let credit = collect_one(licence, &mint, account)?;
        amount = amount.checked_add(credit).ok_or(PaymentsError::Overflow)?;
    }
    open.channel.collect(amount)?;
    drop(open); // Anchor writes the account's discriminator on the way out
    emit!(LicencesCollected { channel: ctx.accounts.channel.key(), amount });
    Ok(())
}

/// Closed again before the next licence is read: two licences may be of one work.
fn collect_one<'info>(
    licence: &mut Licence,
    mint: &Pubkey,
    account: &'info AccountInfo<'info>,
) -> Result<u64> {
    require!(account.is_writable, PaymentsError::EarningsAccounts);
    let earnings: AccountLoader<Earnings> = AccountLoader::try_from(account)?;
    let mut earnings = earnings.load_mut()?;
    let matching = earnings.work == licence.work && earnings.mint == *mint;
    require!(matching, PaymentsError::EarningsAccounts);
    let credit = licence.collect();
    earnings.credit(credit)?;
    Ok(credit)
}
