use std::cell::{Ref, RefMut};

use anchor_lang::prelude::*;
use licensing::bps::floor_share;
use solana_sha256_hasher::{hash, hashv};

use super::License;
use crate::{error::PaymentsError, mmr::Mmr, proof::SignedBy, statement};

/// A platform's escrow towards all the works it licenses, operated by one gateway.
///
/// Seeds: `["channel", payer, operator, mint, salt as u64 little-endian]`. The licenses, one
/// [`License`] each, follow this header in the same account.
///
/// Always true:
/// - `deposited >= charged() + refunded`: nobody is paid money that was not escrowed;
/// - `charged() >= collected + fees_claimed`;
/// - totals never fall, so replaying anything moves nothing.
#[account(zero_copy)]
#[repr(C)]
#[derive(Debug)]
pub struct Channel {
    pub version: u8,
    pub bump: u8,
    /// On top of prices, to the operator.
    pub operator_fee_bps: u16,
    /// From `start_closing` by the payer to the last settlement.
    pub grace_seconds: u32,
    pub payer: Pubkey,
    pub operator: Pubkey,
    pub mint: Pubkey,
    /// Signs vouchers and nothing else.
    pub voucher_key: Pubkey,
    /// From `licensing::Config`: bound in every voucher.
    pub cluster: [u8; 32],
    /// Tells apart channels between the same two parties.
    pub salt: u64,
    /// Bound in every voucher: the same address opened again is another channel.
    pub opened_slot: u64,
    /// Escrowed since opening, base units of `mint`, as all amounts here.
    pub deposited: u64,
    /// Upfront fees charged by acceptances.
    pub upfront_fees: u64,
    /// Prices charged by settlements.
    pub prices: u64,
    /// Credit that has become works' earnings.
    pub collected: u64,
    /// Fees the operator has taken.
    pub fees_claimed: u64,
    /// What the payer has taken back.
    pub refunded: u64,
    /// Unix seconds from which nothing settles; `i64::MAX` while open.
    pub closes_at: i64,
    /// 1 once the payer has withdrawn.
    pub withdrawn: u8,
    pub reserved: [u8; 3],
    /// How many licenses hold a part of caps that licensees share.
    pub quotas_held: u32,
    /// One record for each settled statement; its length is the current statement's number.
    pub statements: Mmr,
    /// Signs vouchers in place of `voucher_key` from `rotates_at`.
    pub next_voucher_key: Pubkey,
    /// Unix seconds; `i64::MAX` while no rotation is under way.
    pub rotates_at: i64,
}

/// What one settlement changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The statement's number.
    pub statement: u64,
    /// Prices of the statement, base units.
    pub prices: u64,
    /// What the operator's fee grew by, base units.
    pub fee: u64,
    /// Prices and fees since opening, base units.
    pub cumulative: u64,
}

/// The receipts behind a statement, as the operator's transaction commits to them.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptsCommitment {
    /// Root of the Merkle-sum tree of the statement's receipts.
    pub root: [u8; 32],
    /// The tree's sum; must be the sum of the statement's prices.
    pub sum: u64,
}

/// What a channel remembers of a settled statement: the hash of this is a leaf of its range.
///
/// Bytes: domain (16), channel (32), opened slot (8), statement (8), prices (8), fee (8),
/// cumulative (8), statement digest (32), 1 with receipts or 0 without (1), receipts root (32).
/// Integers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementRecord {
    pub channel: Pubkey,
    pub opened_slot: u64,
    pub settlement: Settlement,
    pub statement_digest: [u8; 32],
    /// `None` when somebody other than the operator settled.
    pub receipts_root: Option<[u8; 32]>,
}

impl StatementRecord {
    /// 0xFF, `motif-settled`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-settled\x00\x01";

    /// SHA-256 of the record's bytes.
    pub fn hash(&self) -> [u8; 32] {
        let Settlement { statement, prices, fee, cumulative } = self.settlement;
        hashv(&[
            &Self::DOMAIN,
            self.channel.as_ref(),
            &self.opened_slot.to_le_bytes(),
            &statement.to_le_bytes(),
            &prices.to_le_bytes(),
            &fee.to_le_bytes(),
            &cumulative.to_le_bytes(),
            &self.statement_digest,
            &[u8::from(self.receipts_root.is_some())],
            &self.receipts_root.unwrap_or_default(),
        ])
        .to_bytes()
    }
}

impl Channel {
    pub const SEED: &'static [u8] = b"channel";
    pub const VERSION: u8 = 1;
    pub const HEADER_SPACE: usize = Self::DISCRIMINATOR.len() + size_of::<Self>();
    pub const MAX_LICENSES: usize = 10_000;
    pub const MAX_OPERATOR_FEE_BPS: u16 = 5_000;
    pub const MIN_GRACE_SECONDS: u32 = 15 * 60;
    pub const MAX_GRACE_SECONDS: u32 = 30 * 86_400;
    /// Where these stand in the account, for filters.
    pub const PAYER_OFFSET: usize = 16;
    pub const OPERATOR_OFFSET: usize = 48;

    /// Bytes of the account of a channel with so many licenses.
    pub const fn space(licenses: usize) -> usize {
        Self::HEADER_SPACE + licenses * License::SIZE
    }

    /// Everything the payer owes by now: never falls.
    pub fn charged(&self) -> Result<u64> {
        let vouched = self.cumulative()?;
        self.upfront_fees.checked_add(vouched).ok_or_else(|| error!(PaymentsError::Overflow))
    }

    /// What vouchers have paid: prices and the fee on them.
    pub fn cumulative(&self) -> Result<u64> {
        let total = self.prices.checked_add(self.fees());
        total.ok_or_else(|| error!(PaymentsError::Overflow))
    }

    /// The operator's fees since opening: a floor of the prices' total, so that many small
    /// settlements cost what one large one costs.
    pub fn fees(&self) -> u64 {
        floor_share(self.prices, self.operator_fee_bps)
    }

    /// Adds to the deposit.
    pub fn top_up(&mut self, amount: u64) -> Result<()> {
        require!(amount > 0, PaymentsError::EmptyAmount);
        self.require_open()?;
        let deposited = self.deposited.checked_add(amount);
        self.deposited = deposited.ok_or(PaymentsError::Overflow)?;
        self.check()
    }

    /// Charges what an acceptance costs.
    pub fn charge_upfront(&mut self, fee: u64) -> Result<()> {
        self.require_open()?;
        let upfront_fees = self.upfront_fees.checked_add(fee);
        self.upfront_fees = upfront_fees.ok_or(PaymentsError::Overflow)?;
        require!(self.charged()? <= self.deposited, PaymentsError::InsufficientDeposit);
        self.check()
    }

    /// Credit that becomes earnings.
    pub fn collect(&mut self, amount: u64) -> Result<()> {
        require!(amount > 0, PaymentsError::NothingToCollect);
        let collected = self.collected.checked_add(amount);
        self.collected = collected.ok_or(PaymentsError::Overflow)?;
        self.check()
    }

    /// Fees the operator has not taken yet, which are now taken.
    pub fn claim_fees(&mut self) -> Result<u64> {
        let new = self.fees() - self.fees_claimed; // fees never fall
        require!(new > 0, PaymentsError::NothingToClaim);
        self.fees_claimed += new;
        self.check()?;
        Ok(new)
    }

    /// Starts the grace period. The operator, whom it protects, may waive it.
    pub fn start_closing(&mut self, caller: &Pubkey, now: i64) -> Result<()> {
        require!(now < self.closes_at, PaymentsError::ChannelClosed);
        if *caller == self.operator {
            self.closes_at = now;
            return self.check();
        }
        require_keys_eq!(*caller, self.payer, PaymentsError::NotPayer);
        self.require_open()?;
        let closes_at = now.checked_add(i64::from(self.grace_seconds));
        self.closes_at = closes_at.ok_or(PaymentsError::Overflow)?;
        self.check()
    }

    /// Gives the payer back what was never charged; returns how much.
    pub fn withdraw(&mut self, now: i64) -> Result<u64> {
        require!(now >= self.closes_at, PaymentsError::ChannelStillOpen);
        require!(self.withdrawn == 0, PaymentsError::AlreadyWithdrawn);
        self.refunded = self.deposited - self.charged()?; // `deposited >= charged()`
        self.withdrawn = 1;
        self.check()?;
        Ok(self.refunded)
    }

    /// The key that signs vouchers at `now`.
    pub fn voucher_key_at(&self, now: i64) -> &Pubkey {
        if now >= self.rotates_at { &self.next_voucher_key } else { &self.voucher_key }
    }

    /// Puts `key` in place of the voucher key after the grace period, in which the operator can
    /// settle what the old key signed; at once where the operator agrees. Replaces a rotation
    /// that is under way.
    pub fn rotate_voucher_key(&mut self, key: Pubkey, agreed: bool, now: i64) -> Result<()> {
        let proper = self.proper_voucher_key(&key);
        require!(proper, PaymentsError::InvalidVoucherKey);
        self.voucher_key = *self.voucher_key_at(now);
        if agreed {
            self.voucher_key = key;
            self.next_voucher_key = Pubkey::default();
            self.rotates_at = i64::MAX;
        } else {
            let rotates_at = now.checked_add(i64::from(self.grace_seconds));
            self.next_voucher_key = key;
            self.rotates_at = rotates_at.ok_or(PaymentsError::Overflow)?;
        }
        self.check()
    }

    /// Whether a key may sign vouchers. A key off the curve is a program's address: nobody could
    /// sign with it. The payer's own key signs transactions, and a voucher key must never be
    /// asked to.
    pub fn proper_voucher_key(&self, key: &Pubkey) -> bool {
        *key != self.payer && on_curve(key)
    }

    /// Whether nobody can take anything from the channel any more, or needs it for anything.
    pub fn check_closable(&self, slot: u64) -> Result<()> {
        require!(self.withdrawn == 1, PaymentsError::NotWithdrawn);
        let taken = self.collected.checked_add(self.fees_claimed);
        require!(taken == Some(self.charged()?), PaymentsError::ChannelNotEmpty);
        require!(self.quotas_held == 0, PaymentsError::QuotasHeld);
        // Vouchers tell incarnations of an address apart by the slot they were opened in.
        require!(slot > self.opened_slot, PaymentsError::SlotNotElapsed);
        Ok(())
    }

    /// Base units of the deposit that nothing has been charged to.
    pub fn free(&self) -> Result<u64> {
        Ok(self.deposited - self.charged()?) // `deposited >= charged()`
    }

    /// Whether anybody may give back the quota of a license: the operator at any time, everybody
    /// else once it cannot be charged any more.
    pub fn require_may_close(&self, license: &License, caller: &Pubkey, now: i64) -> Result<()> {
        let over = now > license.expires_at || now >= self.closes_at;
        require!(over || *caller == self.operator, PaymentsError::LicenseInUse);
        Ok(())
    }

    fn require_open(&self) -> Result<()> {
        require!(self.closes_at == i64::MAX, PaymentsError::ChannelClosing);
        Ok(())
    }

    /// Settlement is open to the operator until the channel closes, and to anybody else who
    /// holds a voucher in the second half of the grace period.
    ///
    /// Not earlier: a payer could otherwise settle an older voucher of the current statement,
    /// or sign itself the next one, and strand the newest voucher its operator holds.
    fn require_may_settle(&self, settler: &Pubkey, now: i64) -> Result<()> {
        require!(now < self.closes_at, PaymentsError::ChannelClosed);
        let others_from = self.closes_at - i64::from(self.grace_seconds / 2);
        let allowed = *settler == self.operator || now >= others_from;
        require!(allowed, PaymentsError::OperatorFirst);
        Ok(())
    }

    /// Last line of every method that changes a channel.
    fn check(&self) -> Result<()> {
        self.check_charged(self.charged()?)
    }

    fn check_charged(&self, charged: u64) -> Result<()> {
        let spent = charged.checked_add(self.refunded).ok_or(PaymentsError::Overflow)?;
        require!(self.deposited >= spent, PaymentsError::ChargedAboveDeposit);
        let taken = self.collected.checked_add(self.fees_claimed);
        let taken = taken.ok_or(PaymentsError::Overflow)?;
        require!(charged >= taken, PaymentsError::CollectedAboveCharged);
        Ok(())
    }
}

/// A channel's account, opened for change: header and licenses.
pub struct ChannelMut<'a> {
    pub channel: RefMut<'a, Channel>,
    pub licenses: RefMut<'a, [License]>,
}

impl<'a> ChannelMut<'a> {
    /// Opens an account that Anchor has already checked to be a channel of this program.
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

    /// Pays a statement; changes nothing unless everything about it is right.
    ///
    /// `receipts` is the operator's commitment; only the operator's is taken.
    #[inline(always)]
    pub fn settle(
        &mut self,
        address: Pubkey,
        signed: &SignedBy,
        statement: &[u8],
        receipts: Option<ReceiptsCommitment>,
        settler: &Pubkey,
        now: i64,
    ) -> Result<Settlement> {
        let channel = &mut *self.channel;
        let voucher = &signed.voucher;
        channel.require_may_settle(settler, now)?;
        let signer = channel.voucher_key_at(now);
        require!(signed.key == *signer, PaymentsError::VoucherSignerMismatch);
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
                .ok_or_else(|| error!(PaymentsError::LicenseNotFound))
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

/// A channel's account, opened for reading.
pub struct ChannelRef<'a> {
    pub channel: Ref<'a, Channel>,
    pub license_count: usize,
}

impl<'a> ChannelRef<'a> {
    /// Opens an account that Anchor has already checked to be a channel of this program.
    pub fn open(account: &'a AccountLoader<'_, Channel>) -> Result<Self> {
        let bytes = account.as_ref().data_len().checked_sub(Channel::HEADER_SPACE);
        let license_bytes = bytes.ok_or(PaymentsError::InvalidChannelData)?;
        Ok(Self { channel: account.load()?, license_count: license_bytes / License::SIZE })
    }
}

/// Whether a key is a point of Ed25519's curve.
fn on_curve(key: &Pubkey) -> bool {
    #[cfg(target_os = "solana")]
    {
        const CURVE25519_EDWARDS: u64 = 0;
        // SAFETY: the point is 32 readable bytes; the result, unused by this check, may be null
        // only where the runtime does not write it, so it gets a byte of its own.
        let mut result = 0_u8;
        let status = unsafe {
            solana_define_syscall::definitions::sol_curve_validate_point(
                CURVE25519_EDWARDS,
                key.as_array().as_ptr(),
                &raw mut result,
            )
        };
        status == 0
    }
    #[cfg(not(target_os = "solana"))]
    {
        key.is_on_curve()
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Channel::HEADER_SPACE == 1_072);
const _: () = assert!(Channel::space(1) == 1_200);

// `licensing` reads licenses without knowing these types.
const _: () = {
    use licensing::license_right as right;
    use std::mem::offset_of;

    const fn same(one: &[u8], other: &[u8]) -> bool {
        let mut at = 0;
        while at < one.len() && at < other.len() && one[at] == other[at] {
            at += 1;
        }
        at == one.len() && at == other.len()
    }

    assert!(same(right::PAYMENTS_ID.as_array(), crate::ID.as_array()));
    assert!(same(&right::CHANNEL_DISCRIMINATOR, Channel::DISCRIMINATOR));
    assert!(right::PAYER_OFFSET == Channel::DISCRIMINATOR.len() + offset_of!(Channel, payer));
    assert!(right::HEADER_SPACE == Channel::HEADER_SPACE);
    assert!(right::LICENSE_SIZE == License::SIZE);
    assert!(right::LICENSE_WORK_OFFSET == offset_of!(License, work));
    assert!(right::LICENSE_TERMS_NUMBER_OFFSET == offset_of!(License, terms_number));
    assert!(right::LICENSE_UNITS_OFFSET == offset_of!(License, units));
    assert!(right::LICENSE_EXPIRES_AT_OFFSET == offset_of!(License, expires_at));
};
