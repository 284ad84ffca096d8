use bytemuck::{Pod, Zeroable};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{License, PaymentsError, ReceiptsCommitment, Settlement, StatementRecord};
use crate::{
    bps::floor_share, mmr::Mmr, require, statement::entries, voucher_proof::ProvenVoucher,
};

/// Escrow of one payer for all the works it licenses, operated by one gateway.
///
/// Seeds: `["channel", payer, operator, mint, salt as u64 little-endian]`. The licenses, one
/// [`License`] each, follow this header in the same account.
///
/// Invariants:
/// - `deposited >= charged() + refunded`: only escrowed money is paid out;
/// - `charged() >= collected + fees_claimed`;
/// - totals never fall, so replaying an instruction moves nothing;
/// - only settlements lower [`Channel::free`].
#[cfg_attr(feature = "idl-build", anchor_lang::zero_copy)]
#[cfg_attr(not(feature = "idl-build"), derive(Clone, Copy, Pod, Zeroable), repr(C))]
#[derive(Debug)]
pub struct Channel {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Operator's fee in addition to prices.
    pub operator_fee_bps: u16,
    /// Time from the payer's close request to the last settlement.
    pub grace_seconds: u32,
    /// Key that deposits, accepts terms and receives the refund.
    pub payer: Pubkey,
    /// Authority of the [`Operator`](super::Operator) that settles and receives the fees.
    pub operator: Pubkey,
    /// Mint of all amounts.
    pub mint: Pubkey,
    /// Key that signs vouchers and nothing else.
    pub voucher_key: Pubkey,
    /// Cluster tag of `licensing`'s `Config`, bound in every voucher.
    pub cluster: [u8; 32],
    /// Distinguishes channels of the same payer, operator and mint.
    pub salt: u64,
    /// Slot of the opening, bound in every voucher: an address that is opened again is another
    /// channel.
    pub opened_slot: u64,
    /// Deposits since opening, upfront fees included, base units of `mint` like all amounts here.
    pub deposited: u64,
    /// Upfront fees deposited and charged by acceptances.
    pub upfront_fees: u64,
    /// Prices charged by settlements.
    pub prices: u64,
    /// Credit moved to works' earnings.
    pub collected: u64,
    /// Fees paid to the operator.
    pub fees_claimed: u64,
    /// Amount paid back to the payer.
    pub refunded: u64,
    /// First unix second in which nothing settles; `i64::MAX` while open.
    pub closes_at: i64,
    /// 1 after the payer's withdrawal.
    pub withdrawn: u8,
    /// 1 if the payer or its voucher key was one of the operator's keys at opening: such a channel
    /// meters itself.
    pub self_metered: u8,
    /// Zeros.
    pub reserved: [u8; 2],
    /// Number of licenses with a quota of shared caps.
    pub quotas_held: u32,
    /// Records of settled statements; its length is the current statement's number.
    pub statements: Mmr,
    /// Key that signs vouchers instead of `voucher_key` from `rotates_at` on.
    pub next_voucher_key: Pubkey,
    /// First unix second of `next_voucher_key`; `i64::MAX` without a pending rotation.
    pub rotates_at: i64,
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
    /// Whether the operator's settle key signed the settlement.
    pub by_operator: bool,
    /// Current time, unix seconds.
    pub now: i64,
}

impl Channel {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"channel";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes before the licenses.
    pub const HEADER_SPACE: usize = 8 + size_of::<Self>();
    /// Maximum number of licenses.
    pub const MAX_LICENSES: usize = 10_000;
    /// Maximum of `operator_fee_bps`.
    pub const MAX_OPERATOR_FEE_BPS: u16 = 5_000;
    /// Minimum of `grace_seconds`.
    pub const MIN_GRACE_SECONDS: u32 = 15 * 60;
    /// Maximum of `grace_seconds`.
    pub const MAX_GRACE_SECONDS: u32 = 30 * 86_400;
    /// Offset of `payer` in the account, for RPC filters.
    pub const PAYER_OFFSET: usize = 16;
    /// Offset of `operator` in the account, for RPC filters.
    pub const OPERATOR_OFFSET: usize = 48;

    /// Returns the bytes of the account of a channel with `licenses`.
    pub const fn space(licenses: usize) -> usize {
        Self::HEADER_SPACE + licenses * License::SIZE
    }

    /// Returns the total the payer owes so far; it never falls.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn charged(&self) -> Result<u64, PaymentsError> {
        self.upfront_fees.checked_add(self.cumulative()?).ok_or(PaymentsError::Overflow)
    }

    /// Returns the total of settled vouchers: prices and the fees on them.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn cumulative(&self) -> Result<u64, PaymentsError> {
        self.prices.checked_add(self.fees()).ok_or(PaymentsError::Overflow)
    }

    /// Returns the operator's fees since opening: a floor of the prices' total, so that many small
    /// settlements cost the same as one large one.
    pub fn fees(&self) -> u64 {
        floor_share(self.prices, self.operator_fee_bps)
    }

    /// Adds to the deposit.
    ///
    /// # Errors
    /// [`PaymentsError::EmptyAmount`], [`PaymentsError::ChannelClosing`],
    /// [`PaymentsError::Overflow`].
    pub fn top_up(&mut self, amount: u64) -> Result<(), PaymentsError> {
        require!(amount > 0, PaymentsError::EmptyAmount);
        self.require_open()?;
        self.deposit(amount)?;
        self.check()
    }

    /// Deposits the upfront fee of an acceptance and charges it: the free deposit, on which
    /// vouchers rely, is unchanged.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelClosing`], [`PaymentsError::Overflow`].
    pub fn charge_upfront(&mut self, fee: u64) -> Result<(), PaymentsError> {
        self.require_open()?;
        self.deposit(fee)?;
        let upfront_fees = self.upfront_fees.checked_add(fee);
        self.upfront_fees = upfront_fees.ok_or(PaymentsError::Overflow)?;
        self.check()
    }

    fn deposit(&mut self, amount: u64) -> Result<(), PaymentsError> {
        let deposited = self.deposited.checked_add(amount);
        self.deposited = deposited.ok_or(PaymentsError::Overflow)?;
        Ok(())
    }

    /// Records credit that moves to works' earnings.
    ///
    /// # Errors
    /// [`PaymentsError::NothingToCollect`], [`PaymentsError::Overflow`].
    pub fn collect(&mut self, amount: u64) -> Result<(), PaymentsError> {
        require!(amount > 0, PaymentsError::NothingToCollect);
        let collected = self.collected.checked_add(amount);
        self.collected = collected.ok_or(PaymentsError::Overflow)?;
        self.check()
    }

    /// Records the unclaimed fees as claimed and returns them.
    ///
    /// # Errors
    /// [`PaymentsError::NothingToClaim`].
    pub fn claim_fees(&mut self) -> Result<u64, PaymentsError> {
        let new = self.fees() - self.fees_claimed; // fees never fall
        require!(new > 0, PaymentsError::NothingToClaim);
        self.fees_claimed += new;
        self.check()?;
        Ok(new)
    }

    /// Starts the grace period if `caller` is the payer; closes at once if it is the operator's
    /// authority, whom the period protects.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelClosed`], [`PaymentsError::ChannelClosing`],
    /// [`PaymentsError::NotPayer`] if `caller` is neither.
    pub fn request_close(&mut self, caller: &Pubkey, now: i64) -> Result<(), PaymentsError> {
        require!(now < self.closes_at, PaymentsError::ChannelClosed);
        if *caller == self.operator {
            self.closes_at = now;
            return self.check();
        }
        require!(*caller == self.payer, PaymentsError::NotPayer);
        self.require_open()?;
        let closes_at = now.checked_add(i64::from(self.grace_seconds));
        self.closes_at = closes_at.ok_or(PaymentsError::Overflow)?;
        self.check()
    }

    /// Records the refund of the uncharged deposit and returns it.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelStillOpen`], [`PaymentsError::AlreadyWithdrawn`].
    pub fn withdraw(&mut self, now: i64) -> Result<u64, PaymentsError> {
        require!(now >= self.closes_at, PaymentsError::ChannelStillOpen);
        require!(self.withdrawn == 0, PaymentsError::AlreadyWithdrawn);
        self.refunded = self.free()?;
        self.withdrawn = 1;
        self.check()?;
        Ok(self.refunded)
    }

    /// Returns the key that signs vouchers at `now`.
    pub fn voucher_key_at(&self, now: i64) -> &Pubkey {
        if now >= self.rotates_at { &self.next_voucher_key } else { &self.voucher_key }
    }

    /// Replaces the voucher key: at once if the operator agreed, otherwise after the grace period,
    /// in which the operator can settle vouchers of the old key. Replaces a pending rotation.
    ///
    /// # Errors
    /// [`PaymentsError::InvalidVoucherKey`].
    pub fn rotate_voucher_key(
        &mut self,
        key: Pubkey,
        agreed: bool,
        now: i64,
    ) -> Result<(), PaymentsError> {
        require!(self.accepts_voucher_key(&key), PaymentsError::InvalidVoucherKey);
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

    /// Returns whether `key` may sign vouchers. Two keys may not: one off the curve, which is a
    /// program address and cannot sign, and the payer's own, which signs transactions.
    pub fn accepts_voucher_key(&self, key: &Pubkey) -> bool {
        *key != self.payer && on_curve(key)
    }

    /// Checks that the account can be closed: everything was paid out and released.
    ///
    /// # Errors
    /// [`PaymentsError::NotWithdrawn`], [`PaymentsError::ChannelNotEmpty`],
    /// [`PaymentsError::QuotasHeld`], [`PaymentsError::SlotNotElapsed`].
    pub fn check_closable(&self, slot: u64) -> Result<(), PaymentsError> {
        require!(self.withdrawn == 1, PaymentsError::NotWithdrawn);
        let taken = self.collected.checked_add(self.fees_claimed);
        require!(taken == Some(self.charged()?), PaymentsError::ChannelNotEmpty);
        require!(self.quotas_held == 0, PaymentsError::QuotasHeld);
        // Vouchers distinguish channels at one address by the slot of their opening.
        require!(slot > self.opened_slot, PaymentsError::SlotNotElapsed);
        Ok(())
    }

    /// Returns the part of the deposit that is not charged, base units.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn free(&self) -> Result<u64, PaymentsError> {
        Ok(self.deposited - self.charged()?) // `deposited >= charged()`
    }

    /// Checks that `caller` may release the quota of `license`: the operator at any time, anyone
    /// after the license can no longer be charged.
    ///
    /// # Errors
    /// [`PaymentsError::LicenseInUse`].
    pub fn require_releasable(
        &self,
        license: &License,
        caller: &Pubkey,
        now: i64,
    ) -> Result<(), PaymentsError> {
        let over = now > license.expires_at || now >= self.closes_at;
        require!(over || *caller == self.operator, PaymentsError::LicenseInUse);
        Ok(())
    }

    /// Returns the last second of a license with expiry `expires_at` that a withdrawal ends at
    /// `notice_end`.
    ///
    /// It is never within the grace period after `now`, in which the operator can settle earlier
    /// vouchers, and never later than `expires_at`, so that repeating the call changes nothing.
    pub fn withdrawal_end(&self, expires_at: i64, notice_end: i64, now: i64) -> i64 {
        let grace_end = now.saturating_add(i64::from(self.grace_seconds));
        expires_at.min(notice_end.max(grace_end))
    }

    /// Checks that the channel takes licenses and deposits.
    fn require_open(&self) -> Result<(), PaymentsError> {
        require!(self.closes_at == i64::MAX, PaymentsError::ChannelClosing);
        Ok(())
    }

    /// Checks that the settler may settle at `now`: the operator until the channel closes, any
    /// holder of a voucher in the second half of the grace period.
    ///
    /// Earlier, a payer could settle an older voucher of the current statement, or sign the next
    /// statement itself, and so void the newest voucher that its operator holds.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelClosed`], [`PaymentsError::OperatorFirst`].
    fn require_may_settle(&self, by_operator: bool, now: i64) -> Result<(), PaymentsError> {
        require!(now < self.closes_at, PaymentsError::ChannelClosed);
        let others_from = self.closes_at - i64::from(self.grace_seconds / 2);
        let allowed = by_operator || now >= others_from;
        require!(allowed, PaymentsError::OperatorFirst);
        Ok(())
    }

    /// Credits a statement and records it.
    ///
    /// On error, some licenses may already be charged: the caller must fail the transaction, which
    /// reverts them.
    ///
    /// # Errors
    /// The [`PaymentsError`] of the first rule that the request violates.
    #[inline(always)]
    pub fn settle(
        &mut self,
        licenses: &mut [License],
        request: &SettleRequest,
    ) -> Result<Settlement, PaymentsError> {
        let SettleRequest { channel: address, proven, statement, receipts, by_operator, now } =
            *request;
        let voucher = &proven.voucher;
        self.require_may_settle(by_operator, now)?;
        let signer = self.voucher_key_at(now);
        require!(proven.key == *signer, PaymentsError::VoucherSignerMismatch);
        let for_this_channel = voucher.channel == address
            && voucher.cluster == self.cluster
            && voucher.opened_slot == self.opened_slot;
        require!(for_this_channel, PaymentsError::VoucherChannelMismatch);
        let current = self.statements.length;
        require!(voucher.statement == current, PaymentsError::VoucherStatementMismatch);
        require!(now <= voucher.expires_at, PaymentsError::VoucherExpired);
        let statement_digest = hash(statement).to_bytes();
        let same_digest = voucher.statement_digest == statement_digest;
        require!(same_digest, PaymentsError::StatementDigestMismatch);

        let mut prices: u64 = 0;
        for entry in entries(statement)? {
            let entry = entry?;
            let license = licenses.get_mut(usize::from(entry.license));
            let price = license
                .ok_or(PaymentsError::LicenseNotFound)
                .and_then(|license| license.charge(entry.units, now))
                .inspect_err(|_| log(&format!("license {}", entry.license)))?;
            prices = prices.checked_add(price).ok_or(PaymentsError::Overflow)?;
        }

        let fees_before = self.fees();
        self.prices = self.prices.checked_add(prices).ok_or(PaymentsError::Overflow)?;
        let cumulative = self.cumulative()?;
        require!(voucher.cumulative == cumulative, PaymentsError::VoucherTotalMismatch);
        let charged = self.upfront_fees.checked_add(cumulative);
        let charged = charged.ok_or(PaymentsError::Overflow)?;
        require!(charged <= self.deposited, PaymentsError::InsufficientDeposit);
        let receipts = receipts.filter(|_| by_operator);
        if let Some(receipts) = receipts {
            require!(receipts.sum == prices, PaymentsError::ReceiptsSumMismatch);
        }

        let fee = cumulative - self.prices - fees_before; // fees never fall
        let settlement = Settlement { statement: current, prices, fee, cumulative };
        let record = StatementRecord {
            channel: address,
            opened_slot: self.opened_slot,
            settlement,
            statement_digest,
            receipts_root: receipts.map(|receipts| receipts.root),
        };
        let recorded = self.statements.append(record.hash());
        recorded.map_err(|_| PaymentsError::StatementLimitReached)?;
        self.check_charged(charged)?;
        Ok(settlement)
    }

    /// Checks the invariants; last step of every change.
    ///
    /// # Errors
    /// [`PaymentsError::ChargedAboveDeposit`], [`PaymentsError::CollectedAboveCharged`],
    /// [`PaymentsError::Overflow`].
    fn check(&self) -> Result<(), PaymentsError> {
        self.check_charged(self.charged()?)
    }

    /// Checks the invariants with a known value of [`Channel::charged`].
    ///
    /// # Errors
    /// As [`Channel::check`].
    fn check_charged(&self, charged: u64) -> Result<(), PaymentsError> {
        let spent = charged.checked_add(self.refunded).ok_or(PaymentsError::Overflow)?;
        require!(self.deposited >= spent, PaymentsError::ChargedAboveDeposit);
        let taken = self.collected.checked_add(self.fees_claimed);
        let taken = taken.ok_or(PaymentsError::Overflow)?;
        require!(charged >= taken, PaymentsError::CollectedAboveCharged);
        Ok(())
    }
}

/// A channel's account with its licenses, as read from a cluster.
#[derive(Clone, Debug)]
pub struct ChannelAccount {
    /// Parties, totals and records of settled statements.
    pub channel: Channel,
    /// Licenses; statements name them by their index here.
    pub licenses: Vec<License>,
}

impl ChannelAccount {
    /// Reads an account's data; returns `None` if it is not a channel. The caller checks the
    /// account's owner.
    pub fn from_bytes(data: &[u8]) -> Option<Self> {
        let body = data.strip_prefix(Channel::DISCRIMINATOR)?;
        let (header, licenses) = body.split_at_checked(size_of::<Channel>())?;
        let (licenses, rest) = licenses.as_chunks::<{ License::SIZE }>();
        let whole = rest.is_empty();
        whole.then(|| Self {
            channel: bytemuck::pod_read_unaligned(header),
            licenses: licenses.iter().map(|bytes| bytemuck::pod_read_unaligned(bytes)).collect(),
        })
    }
}

/// Writes a line to the transaction's log; does nothing outside the program.
fn log(line: &str) {
    #[cfg(target_os = "solana")]
    // SAFETY: the pointer and the length are those of readable bytes.
    unsafe {
        solana_define_syscall::definitions::sol_log_(line.as_ptr(), line.len() as u64);
    }
    #[cfg(not(target_os = "solana"))]
    let _ = line;
}

/// Returns whether a key is a point on the Ed25519 curve.
fn on_curve(key: &Pubkey) -> bool {
    #[cfg(target_os = "solana")]
    {
        const CURVE25519_EDWARDS: u64 = 0;
        // SAFETY: the point is 32 readable bytes. The result pointer is one writable byte; the
        // syscall does not write it for this operation.
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

// The layout of existing accounts never changes.
const _: () = assert!(Channel::HEADER_SPACE == 1_072);
const _: () = assert!(Channel::space(1) == 1_200);
const _: () = assert!(Channel::PAYER_OFFSET == 8 + std::mem::offset_of!(Channel, payer));
const _: () = assert!(Channel::OPERATOR_OFFSET == 8 + std::mem::offset_of!(Channel, operator));
