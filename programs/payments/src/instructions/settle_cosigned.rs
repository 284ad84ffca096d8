use anchor_lang::prelude::*;
use motif_interface::{channel::SettleCosignedArgs, payments::Channel};

use super::settle::settle;
use crate::voucher_proof::cosigned_voucher;

#[derive(Accounts)]
pub struct SettleCosigned<'info> {
    /// As for `settle`.
    pub settler: Signer<'info>,

    /// Voucher key of the channel; here it signs the transaction.
    pub voucher_key: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// CHECK: as for `settle`.
    pub operator: UncheckedAccount<'info>,
}

pub fn handle_settle_cosigned(
    ctx: Context<SettleCosigned>,
    args: SettleCosignedArgs,
) -> Result<()> {
    let SettleCosigned { settler, voucher_key, channel, operator } = ctx.accounts;
    let cluster = channel.load()?.cluster;
    let proven = cosigned_voucher(voucher_key, channel.key(), cluster, &args);
    settle(channel, operator, &proven, &args.statement, args.receipts, settler.key)
}
