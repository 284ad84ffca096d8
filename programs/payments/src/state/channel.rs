use std::cell::{Ref, RefMut};

use anchor_lang::prelude::*;
use motif_interface::{
    payments::{Channel, License, PaymentsError, ReceiptsCommitment, Settlement, StatementRecord},
    statement,
    voucher_proof::ProvenVoucher,
};
use solana_sha256_hasher::hash;

/// Mutable borrow of a channel's account: header and licenses.
pub struct ChannelMut<'a> {
    pub channel: RefMut<'a, Channel>,
    pub licenses: RefMut<'a, [License]>,
}

/// A statement to settle.
pub struct SettleRequest<'a> {
    /// Address of the channel.
    pub channel: Pubkey,
    /// Voucher for the statement.
    pub proven: &'a ProvenVoucher,
    /// Bytes of the statement.
    pub statement: &'a [u8],
    /// Commitment to the receipts; counts only if the settler is the operator.
    pub receipts: Option<ReceiptsCommitment>,
    /// Signer of the settlement.
    pub settler: &'a Pubkey,
    /// Current time, unix seconds.
    pub now: i64,
}

impl<'a> ChannelMut<'a> {
    /// Borrows an account that Anchor has checked to be a channel of this program.
    #[inline(always)]
    pub fn open(account: &'a AccountLoader<'_, Channel>) -> Result<Self> {
        let data = account.as_ref().try_borrow_mut_data()?;
        require!(data.len() >= Channel::HEADER_SPACE, PaymentsError::InvalidChannelData);
        let license_bytes = data.len() - Channel::HEADER_SPACE;
        require!(license_bytes.is_multiple_of(License::SIZE), PaymentsError::InvalidChannelData);
        let (channel, licenses) = RefMut::map_split(data, |data| {
            let (_, body) = data.split_at_mut(Channel::DISCRIMINATOR.len());
            let (header, licenses) = body.split_at_mut(size_of::<Channel>());
            (bytemuck::from_bytes_mut(header), bytemuck::cast_slice_mut(licenses))
        });
        Ok(Self { channel, licenses })
    }

    /// Credits a statement and records it.
    ///
    /// On error, some licenses may already be charged: the caller must fail the transaction, which
    /// reverts them.
    #[inline(always)]
    pub fn settle(&mut self, request: &SettleRequest) -> Result<Settlement> {
        let SettleRequest { channel: address, proven, statement, receipts, settler, now } =
            *request;
        let channel = &mut *self.channel;
        let voucher = &proven.voucher;
        channel.require_may_settle(settler, now)?;
        let signer = channel.voucher_key_at(now);
        require!(proven.key == *signer, PaymentsError::VoucherSignerMismatch);
        let for_this_channel = voucher.channel == address
            && voucher.cluster == channel.cluster
            && voucher.opened_slot == channel.opened_slot;
        require!(for_this_channel, PaymentsError::VoucherChannelMismatch);
        let current = channel.statements.length;
        require!(voucher.statement == current, PaymentsError::VoucherStatementMismatch);
        require!(now <= voucher.expires_at, PaymentsError::VoucherExpired);
        let statement_digest = hash(statement).to_bytes();
        let same_digest = voucher.statement_digest == statement_digest;
        require!(same_digest, PaymentsError::StatementDigestMismatch);

        let mut prices: u64 = 0;
        for entry in statement::entries(statement)? {
            let entry = entry?;
            let license = self.licenses.get_mut(usize::from(entry.license));
            let price = license
                .ok_or(PaymentsError::LicenseNotFound)
                .and_then(|license| license.charge(entry.units, now))
                .inspect_err(|_| msg!("license {}", entry.license))?;
            prices = prices.checked_add(price).ok_or(PaymentsError::Overflow)?;
        }

        let fees_before = channel.fees();
        channel.prices = channel.prices.checked_add(prices).ok_or(PaymentsError::Overflow)?;
        let cumulative = channel.cumulative()?;
        require!(voucher.cumulative == cumulative, PaymentsError::VoucherTotalMismatch);
        let charged = channel.upfront_fees.checked_add(cumulative);
        let charged = charged.ok_or(PaymentsError::Overflow)?;
        require!(charged <= channel.deposited, PaymentsError::InsufficientDeposit);
        let receipts = receipts.filter(|_| *settler == channel.operator);
        if let Some(receipts) = receipts {
            require!(receipts.sum == prices, PaymentsError::ReceiptsSumMismatch);
        }

        let fee = cumulative - channel.prices - fees_before; // fees never fall
        let settlement = Settlement { statement: current, prices, fee, cumulative };
        let record = StatementRecord {
            channel: address,
            opened_slot: channel.opened_slot,
            settlement,
            statement_digest,
            receipts_root: receipts.map(|receipts| receipts.root),
        };
        let recorded = channel.statements.append(record.hash());
        recorded.map_err(|_| PaymentsError::StatementLimitReached)?;
        channel.check_charged(charged)?;
        Ok(settlement)
    }
}

/// Borrow of a channel's header, with the number of its licenses.
pub struct ChannelRef<'a> {
    pub channel: Ref<'a, Channel>,
    pub license_count: usize,
}

impl<'a> ChannelRef<'a> {
    /// Borrows an account that Anchor has checked to be a channel of this program.
    pub fn open(account: &'a AccountLoader<'_, Channel>) -> Result<Self> {
        let bytes = account.as_ref().data_len().checked_sub(Channel::HEADER_SPACE);
        let license_bytes = bytes.ok_or(PaymentsError::InvalidChannelData)?;
        Ok(Self { channel: account.load()?, license_count: license_bytes / License::SIZE })
    }
}
