use anchor_lang::prelude::*;
use motif_interface::payments::{Channel, PaymentsError};

use crate::{clock::now, event::VoucherKeyRotationStarted};

#[derive(Accounts)]
pub struct RotateVoucherKey<'info> {
    pub payer: Signer<'info>,

    /// Authority of the operator. It signs if the operator holds no unsettled voucher of the old key: then the rotation is immediate.
    pub operator: Option<Signer<'info>>,

    /// Watcher of the channel; an immediate rotation needs its signature too.
    pub watcher: Option<Signer<'info>>,

    #[account(mut, has_one = payer @ PaymentsError::NotPayer)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_rotate_voucher_key(ctx: Context<RotateVoucherKey>, new_key: Pubkey) -> Result<()> {
    let now = now()?;
    let watcher = ctx.accounts.watcher.as_ref().map(|watcher| watcher.key());
    let operator = ctx.accounts.operator.as_ref().map(|operator| operator.key());
    let rotates_at = {
        let mut channel = ctx.accounts.channel.load_mut()?;
        let matches = operator.is_none_or(|operator| operator == channel.operator);
        require!(matches, PaymentsError::NotOperator);
        let watched = channel.watcher().is_none_or(|key| watcher == Some(key));
        let agreed = operator.is_some() && watched;
        channel.rotate_voucher_key(new_key, agreed, now)?;
        if agreed { now.unix_seconds } else { channel.rotates_at }
    };
    emit!(VoucherKeyRotationStarted { channel: ctx.accounts.channel.key(), new_key, rotates_at });
    Ok(())
}
