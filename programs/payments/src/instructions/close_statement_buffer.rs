use anchor_lang::prelude::*;

use crate::state::StatementBuffer;

/// Works after the channel has been closed too: nobody's rent stays behind.
#[derive(Accounts)]
pub struct CloseStatementBuffer<'info> {
    #[account(mut)]
    pub settler: Signer<'info>,

    #[account(mut, has_one = settler, close = settler)]
    pub statement_buffer: AccountLoader<'info, StatementBuffer>,
}

pub fn handle_close_statement_buffer(_: Context<CloseStatementBuffer>) -> Result<()> {
    Ok(())
}
