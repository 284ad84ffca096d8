use anchor_lang::prelude::*;
use motif_interface::licensing::{SplitChange, Work};

#[derive(Accounts)]
pub struct RevokeSplitApproval<'info> {
    /// Recipient of the current split.
    pub recipient: Signer<'info>,

    pub work: Box<Account<'info, Work>>,

    #[account(mut, has_one = work)]
    pub split_change: Box<Account<'info, SplitChange>>,
}

pub fn handle_revoke_split_approval(ctx: Context<RevokeSplitApproval>) -> Result<()> {
    let RevokeSplitApproval { recipient, work, split_change } = ctx.accounts;
    Ok(split_change.revoke(work, recipient.key)?)
}
