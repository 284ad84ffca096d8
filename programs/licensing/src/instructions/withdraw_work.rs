use anchor_lang::prelude::*;
use motif_interface::licensing::{LicensingError, Work};

use crate::event::WorkWithdrawn;

#[derive(Accounts)]
pub struct WithdrawWork<'info> {
    pub owner: Signer<'info>,

    #[account(mut, has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,
}

pub fn handle_withdraw_work(ctx: Context<WithdrawWork>) -> Result<()> {
    let withdrawn_at = Clock::get()?.unix_timestamp;
    ctx.accounts.work.withdraw(withdrawn_at)?;
    emit!(WorkWithdrawn { work: ctx.accounts.work.key(), withdrawn_at });
    Ok(())
}
