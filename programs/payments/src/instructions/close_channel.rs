use anchor_lang::prelude::*;
use motif_interface::payments::{Channel, PaymentsError};

use crate::{clock::now, event::ChannelDeleted};

#[derive(Accounts)]
pub struct CloseChannel<'info> {
    /// Receives the rent. It signs because closing deletes the records that prove receipts.
    #[account(mut)]
    pub payer: Signer<'info>,

    #[account(mut, has_one = payer @ PaymentsError::NotPayer, close = payer)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_close_channel(ctx: Context<CloseChannel>) -> Result<()> {
    ctx.accounts.channel.load()?.check_closable(now()?)?;
    emit!(ChannelDeleted { channel: ctx.accounts.channel.key() });
    Ok(())
}
