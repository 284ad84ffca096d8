use anchor_lang::prelude::*;

use crate::{
    event::StatementSettled,
    proof::{INSTRUCTIONS_SYSVAR, SignedBy, signed_voucher},
    state::{Channel, ChannelMut, ReceiptsCommitment, Settlement},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct SettleArgs {
    /// Entries of 6 bytes, as `statement` describes them.
    pub statement: Vec<u8>,
    /// The operator's; anybody else's is not taken, and its statement has no receipts.
    pub receipts: Option<ReceiptsCommitment>,
}

#[derive(Accounts)]
pub struct Settle<'info> {
    /// The operator; in the second half of the grace period whoever holds a voucher.
    pub settler: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// CHECK: the sysvar itself, by its address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

pub fn handle_settle(ctx: Context<Settle>, args: SettleArgs) -> Result<()> {
    let Settle { settler, channel, instructions } = ctx.accounts;
    let signed = signed_voucher(instructions)?;
    settle(channel, &signed, &args.statement, args.receipts, settler.key)
}

/// Pays a statement, wherever it was read from, and tells the world.
pub(super) fn settle(
    channel: &AccountLoader<Channel>,
    signed: &SignedBy,
    statement: &[u8],
    receipts: Option<ReceiptsCommitment>,
    settler: &Pubkey,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let address = channel.key();
    let mut open = ChannelMut::open(channel)?;
    let settled = open.settle(address, signed, statement, receipts, settler, now)?;
    let Settlement { statement, prices, fee, cumulative } = settled;
    StatementSettled { channel: address, statement, prices, fee, cumulative }.log();
    Ok(())
}
