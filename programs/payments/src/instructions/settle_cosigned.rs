use anchor_lang::prelude::*;

use super::settle::settle;
use crate::{
    proof::cosigned_voucher,
    state::{Channel, ReceiptsCommitment},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct SettleCosignedArgs {
    /// Which incarnation of the channel both signers mean.
    pub opened_slot: u64,
    /// The statement's number.
    pub number: u64,
    /// What the channel owes in all with it, base units: prices and fees.
    pub cumulative: u64,
    /// Entries of 6 bytes, as `statement` describes them.
    pub statement: Vec<u8>,
    /// As in `settle`.
    pub receipts: Option<ReceiptsCommitment>,
}

#[derive(Accounts)]
pub struct SettleCosigned<'info> {
    /// As for `settle`.
    pub settler: Signer<'info>,

    /// The key that signs the channel's vouchers; here it signs the transaction.
    pub voucher_key: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,
}

pub fn handle_settle_cosigned(
    ctx: Context<SettleCosigned>,
    args: SettleCosignedArgs,
) -> Result<()> {
    let SettleCosigned { settler, voucher_key, channel } = ctx.accounts;
    let SettleCosignedArgs { opened_slot, number, cumulative, statement, receipts } = args;
    let cluster = channel.load()?.cluster;
    let said = (opened_slot, number, cumulative, statement.as_slice());
    let signed = cosigned_voucher(voucher_key, channel.key(), cluster, said);
    settle(channel, &signed, &statement, receipts, settler.key)
}
