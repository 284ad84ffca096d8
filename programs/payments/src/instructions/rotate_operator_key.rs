use anchor_lang::prelude::*;
use motif_interface::payments::{Operator, OperatorKey, PaymentsError};

use crate::event::OperatorKeyRotated;

#[derive(Accounts)]
pub struct RotateOperatorKey<'info> {
    pub authority: Signer<'info>,

    #[account(mut, has_one = authority @ PaymentsError::NotOperator)]
    pub operator: Box<Account<'info, Operator>>,
}

pub fn handle_rotate_operator_key(
    ctx: Context<RotateOperatorKey>,
    which: OperatorKey,
    new_key: Pubkey,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let operator = &mut ctx.accounts.operator;
    let valid_from = operator.rotate(which, new_key, now)?;
    emit!(OperatorKeyRotated { authority: operator.authority, which, new_key, valid_from });
    Ok(())
}
