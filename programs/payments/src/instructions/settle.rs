use anchor_lang::prelude::*;
use motif_interface::{
    channel::SettleArgs,
    payments::{Channel, Operator, PaymentsError, ReceiptsCommitment, SettleRequest, Settlement},
    voucher_proof::{INSTRUCTIONS_SYSVAR, ProvenVoucher},
};

use crate::{
    clock::now, event::StatementSettled, state::ChannelMut, voucher_proof::signed_voucher,
};

#[derive(Accounts)]
pub struct Settle<'info> {
    /// The operator's settle key, or the watcher in the second half of the grace period.
    pub settler: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// CHECK: account of the channel's operator; the handler reads its settle key in place.
    pub operator: UncheckedAccount<'info>,

    /// CHECK: instructions sysvar, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

pub fn handle_settle(ctx: Context<Settle>, args: SettleArgs) -> Result<()> {
    let Settle { settler, channel, operator, instructions } = ctx.accounts;
    let proven = signed_voucher(instructions)?;
    settle(channel, operator, &proven, &args.statement, args.receipts, settler.key)
}

/// Credits a statement and logs the event.
pub(super) fn settle(
    channel: &AccountLoader<Channel>,
    operator: &AccountInfo,
    proven: &ProvenVoucher,
    statement: &[u8],
    receipts: Option<ReceiptsCommitment>,
    settler: &Pubkey,
) -> Result<()> {
    let address = channel.key();
    let mut open = ChannelMut::open(channel)?;
    let now = now()?;
    let owned = *operator.owner == crate::ID;
    require!(owned, PaymentsError::InvalidOperatorAccount);
    let data = operator.try_borrow_data()?;
    let key = Operator::settle_key_in(&data, &open.channel.operator, now.unix_seconds)?;
    let by_operator = settler.as_array() == key;
    let request =
        SettleRequest { channel: address, proven, statement, receipts, settler, by_operator, now };
    let ChannelMut { channel, licenses } = &mut open;
    let settled = channel.settle(licenses, &request)?;
    let Settlement { statement, prices, fee, cumulative } = settled;
    StatementSettled { channel: address, statement, prices, fee, cumulative }.log();
    Ok(())
}
