use anchor_lang::prelude::*;
use motif_interface::payments::{Channel, PaymentsError};

use crate::event::VoucherKeyRotationStarted;

#[derive(Accounts)]
pub struct RotateVoucherKey<'info> {
    pub payer: Signer<'info>,

    /// Authority of the operator. It signs if the operator holds no unsettled voucher of the old key: then the rotation is immediate.
    pub operator: Option<Signer<'info>>,

    #[account(mut, has_one = payer @ PaymentsError::NotPayer)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_rotate_voucher_key(ctx: Context<RotateVoucherKey>, new_key: Pubkey) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let operator = ctx.accounts.operator.as_ref().map(|operator| operator.key());
    let rotates_at = {
        let mut channel = ctx.accounts.channel.load_mut()?;
        let matches = operator.is_none_or(|operator| operator == channel.operator);
        require!(matches, PaymentsError::NotOperator);
        channel.rotate_voucher_key(new_key, operator.is_some(), now)?;
        if operator.is_some() { now } else { channel.rotates_at }
    };
    emit!(VoucherKeyRotationStarted { channel: ctx.accounts.channel.key(), new_key, rotates_at });
    Ok(())
}
