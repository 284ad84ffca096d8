use anchor_lang::prelude::*;

use crate::state::Staging;

/// Works after the channel has been closed too: nobody's rent stays behind.
#[derive(Accounts)]
pub struct Unstage<'info> {
    #[account(mut)]
    pub settler: Signer<'info>,

    #[account(mut, has_one = settler, close = settler)]
    pub staging: AccountLoader<'info, Staging>,
}

pub fn handle_unstage(_: Context<Unstage>) -> Result<()> {
    Ok(())
}
