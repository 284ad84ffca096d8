use anchor_lang::prelude::*;
use motif_interface::payments::Channel;

use crate::event::ChannelClosing;

#[derive(Accounts)]
pub struct RequestClose<'info> {
    /// Payer or operator's authority of the channel; checked by `Channel::request_close`.
    pub caller: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_request_close(ctx: Context<RequestClose>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let closes_at = {
        let mut channel = ctx.accounts.channel.load_mut()?;
        channel.request_close(&ctx.accounts.caller.key(), now)?;
        channel.closes_at
    };
    emit!(ChannelClosing { channel: ctx.accounts.channel.key(), closes_at });
    Ok(())
}
