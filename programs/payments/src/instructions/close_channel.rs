use anchor_lang::prelude::*;

use crate::{error::PaymentsError, event::ChannelDeleted, state::Channel};

#[derive(Accounts)]
pub struct CloseChannel<'info> {
    /// Gets the rent. It signs because the channel's record of statements goes with it: receipts
    /// are proved by it no longer.
    #[account(mut)]
    pub payer: Signer<'info>,

    #[account(mut, has_one = payer @ PaymentsError::NotPayer, close = payer)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_close_channel(ctx: Context<CloseChannel>) -> Result<()> {
    let slot = Clock::get()?.slot;
    ctx.accounts.channel.load()?.check_closable(slot)?;
    emit!(ChannelDeleted { channel: ctx.accounts.channel.key() });
    Ok(())
}
