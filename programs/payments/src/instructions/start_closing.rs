use anchor_lang::prelude::*;

use crate::{event::ChannelClosing, state::Channel};

#[derive(Accounts)]
pub struct StartClosing<'info> {
    /// The channel's payer or its operator; the channel decides what that means.
    pub caller: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_start_closing(ctx: Context<StartClosing>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let closes_at = {
        let mut channel = ctx.accounts.channel.load_mut()?;
        channel.start_closing(&ctx.accounts.caller.key(), now)?;
        channel.closes_at
    };
    emit!(ChannelClosing { channel: ctx.accounts.channel.key(), closes_at });
    Ok(())
}
