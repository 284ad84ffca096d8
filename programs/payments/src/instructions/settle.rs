use anchor_lang::prelude::*;
use motif_interface::{
    channel::SettleArgs,
    payments::{Channel, ReceiptsCommitment, SettleRequest, Settlement},
    voucher_proof::{INSTRUCTIONS_SYSVAR, ProvenVoucher},
};

use crate::{
    clock::now, event::StatementSettled, state::ChannelMut, voucher_proof::signed_voucher,
};

#[derive(Accounts)]
pub struct Settle<'info> {
    /// The operator, or the watcher in the second half of the grace period.
    pub settler: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// CHECK: instructions sysvar, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

pub fn handle_settle(ctx: Context<Settle>, args: SettleArgs) -> Result<()> {
    let Settle { settler, channel, instructions } = ctx.accounts;
    let proven = signed_voucher(instructions)?;
    settle(channel, &proven, &args.statement, args.receipts, settler.key)
}

/// Credits a statement and logs the event.
pub(super) fn settle(
    channel: &AccountLoader<Channel>,
    proven: &ProvenVoucher,
    statement: &[u8],
    receipts: Option<ReceiptsCommitment>,
    settler: &Pubkey,
) -> Result<()> {
    let address = channel.key();
    let mut open = ChannelMut::open(channel)?;
    let request =
        SettleRequest { channel: address, proven, statement, receipts, settler, now: now()? };
    let ChannelMut { channel, licenses } = &mut open;
    let settled = channel.settle(licenses, &request)?;
    let Settlement { statement, prices, fee, cumulative } = settled;
    StatementSettled { channel: address, statement, prices, fee, cumulative }.log();
    Ok(())
}
