use anchor_lang::prelude::*;
use motif_interface::licensing::{SplitChange, Work};

#[derive(Accounts)]
pub struct ApproveSplitChange<'info> {
    /// Recipient of the current split.
    pub recipient: Signer<'info>,

    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work)]
    pub split_change: Box<Account<'info, SplitChange>>,
}

pub fn handle_approve_split_change(
    ctx: Context<ApproveSplitChange>,
    split_digest: [u8; 32],
) -> Result<()> {
    let ApproveSplitChange { recipient, work, split_change } = ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    Ok(split_change.approve(work, recipient.key, split_digest, now)?)
}
