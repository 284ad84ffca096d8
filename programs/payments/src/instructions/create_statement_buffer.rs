use anchor_lang::prelude::*;
use motif_interface::payments::{Channel, StatementBuffer};

#[derive(Accounts)]
pub struct CreateStatementBuffer<'info> {
    /// Key that will settle with the buffer.
    #[account(mut)]
    pub settler: Signer<'info>,

    pub channel: AccountLoader<'info, Channel>,

    #[account(
        init,
        payer = settler,
        space = StatementBuffer::space(0),
        seeds = [StatementBuffer::SEED, channel.key().as_ref(), settler.key().as_ref()],
        bump,
    )]
    pub statement_buffer: AccountLoader<'info, StatementBuffer>,

    pub system_program: Program<'info, System>,
}

pub fn handle_create_statement_buffer(ctx: Context<CreateStatementBuffer>) -> Result<()> {
    let mut statement_buffer = ctx.accounts.statement_buffer.load_init()?;
    statement_buffer.version = StatementBuffer::VERSION;
    statement_buffer.bump = ctx.bumps.statement_buffer;
    statement_buffer.channel = ctx.accounts.channel.key();
    statement_buffer.settler = ctx.accounts.settler.key();
    Ok(())
}
