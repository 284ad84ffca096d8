use anchor_lang::prelude::*;
use motif_interface::payments::Channel;

use crate::{clock::now, event::ChannelClosing};

#[derive(Accounts)]
pub struct RequestClose<'info> {
    /// Payer or operator's authority; checked by `Channel::request_close`, like all signers.
    pub caller: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// The other party, to close the channel at once.
    pub cosigner: Option<Signer<'info>>,

    /// Watcher of the channel, to close it at once.
    pub watcher: Option<Signer<'info>>,
}

pub fn handle_request_close(ctx: Context<RequestClose>) -> Result<()> {
    let RequestClose { caller, channel, cosigner, watcher } = ctx.accounts;
    let signers = [Some(&*caller), cosigner.as_ref(), watcher.as_ref()];
    let signed = |key: &Pubkey| signers.iter().flatten().any(|signer| signer.key == key);
    let closes_at = {
        let mut channel = channel.load_mut()?;
        channel.request_close(signed, now()?)?;
        channel.closes_at
    };
    emit!(ChannelClosing { channel: channel.key(), closes_at });
    Ok(())
}
