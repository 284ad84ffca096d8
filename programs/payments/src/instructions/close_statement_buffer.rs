use anchor_lang::prelude::*;
use motif_interface::payments::StatementBuffer;

/// Also valid after the channel was closed, so that the rent can always be recovered.
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
