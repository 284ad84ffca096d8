use bytemuck::{Pod, Zeroable};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{License, Moment, PaymentsError, ReceiptsCommitment, Settlement, StatementRecord};
use crate::{
    bps::floor_share, mmr::Mmr, require, statement::entries, voucher_proof::ProvenVoucher,
};

/// Escrow of one payer for all the works it licenses, operated by one gateway.
///
/// Seeds: `["channel", payer, operator, mint, salt as u64 little-endian]`. The licenses, one
/// [`License`] each, follow this header in the same account.
///
/// Invariants:
/// - `deposited >= committed() + refunded`: only escrowed money is paid out, and quotas are backed;
/// - `charged() >= collected + fees_claimed`;
/// - totals never fall, so replaying an instruction moves nothing;
/// - only settlement, and the withdrawal after the grace period, lower [`Channel::free`].
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
    /// Time from a close request to the last settlement; at least as many slots pass in it.
    pub grace_seconds: u32,
    /// Key that deposits, accepts terms and receives the refund.
    pub payer: Pubkey,
    /// Authority of the [`Operator`](super::Operator) that settles and receives the fees.
    pub operator: Pubkey,
    /// Key that settles besides the operator in the second half of the grace period, and without
    /// which nothing shortens this period; zeros for none.
    pub watcher: Pubkey,
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
    /// Unix second from which nothing settles, once `closes_slot` is reached too; `i64::MAX` while
    /// open.
    pub closes_at: i64,
    /// Slot from which nothing settles, once `closes_at` is reached too; 0 while open.
    pub closes_slot: u64,
    /// 1 after the payer's withdrawal.
    pub withdrawn: u8,
    /// 1 after the payer's close request.
    pub payer_closes: u8,
    /// 1 if the payer or its voucher key was one of the operator's keys at opening: such a channel
    /// meters itself.
    pub self_metered: u8,
    /// Zero.
    pub reserved: u8,
    /// Number of licenses with a quota of shared caps.
    pub quotas_held: u32,
    /// Prices of all unused quotas, without fees: the part of the deposit that only these quotas are
    /// charged to.
    pub earmarked: u64,
    /// Records of settled statements; its length is the current statement's number.
    pub statements: Mmr,
    /// Key that signs vouchers instead of `voucher_key` from `rotates_at` and `rotates_slot` on.
    pub next_voucher_key: Pubkey,
    /// First unix second of `next_voucher_key`; `i64::MAX` without a pending rotation.
    pub rotates_at: i64,
    /// First slot of `next_voucher_key`.
    pub rotates_slot: u64,
    /// Licenses behind the header. Only the IDL's build has this field: it puts the type into the IDL.
    #[cfg(feature = "idl-build")]
    pub licenses: [License; 0],
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
    /// Whether the signer is the operator's settle key.
    pub by_operator: bool,
    /// Current time.
    pub now: Moment,
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
    /// Minimum number of slots in a second of the grace period. A running cluster makes more, so
    /// that slots count only after it has halted.
    pub const SLOTS_PER_SECOND: u64 = 1;
    /// Time from the closing of a channel to the first second in which its account can be closed with
    /// unclaimed fees.
    pub const FEE_CLAIM_SECONDS: i64 = 30 * 86_400;
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

    /// Earmarks `worth` base units for the quota of a new license, and deposits them with the
    /// operator's fee on them: the free deposit is unchanged. Returns the deposited amount.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelClosing`], [`PaymentsError::QuotaTooLarge`].
    pub fn earmark(&mut self, worth: u64) -> Result<u64, PaymentsError> {
        self.require_open()?;
        let before = self.committed()?;
        let earmarked = self.earmarked.checked_add(worth);
        self.earmarked = earmarked.ok_or(PaymentsError::QuotaTooLarge)?;
        let after = self.committed().map_err(|_| PaymentsError::QuotaTooLarge)?;
        let amount = after - before; // a total of floors never falls
        self.deposit(amount).map_err(|_| PaymentsError::QuotaTooLarge)?;
        self.quotas_held += 1; // at most `MAX_LICENSES`
        self.check()?;
        Ok(amount)
    }

    /// Frees the earmark of a released quota.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`] if less is earmarked.
    pub fn release_earmark(&mut self, worth: u64) -> Result<(), PaymentsError> {
        let earmarked = self.earmarked.checked_sub(worth);
        self.earmarked = earmarked.ok_or(PaymentsError::Overflow)?;
        self.quotas_held -= 1; // one for each license that holds a quota
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

    /// Starts the grace period, at the request of payer or operator's authority. Closes at once if
    /// the authority signs and the payer signs too or has requested it before, with the watcher if
    /// there is one: the period protects the vouchers of the one and the licenses of the other.
    ///
    /// `signed` states whether a key has signed.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelClosed`], [`PaymentsError::ChannelClosing`],
    /// [`PaymentsError::NotPayer`] if neither has signed, [`PaymentsError::Overflow`].
    pub fn request_close(
        &mut self,
        signed: impl Fn(&Pubkey) -> bool,
        now: Moment,
    ) -> Result<(), PaymentsError> {
        let (by_payer, by_operator) = (signed(&self.payer), signed(&self.operator));
        require!(by_payer || by_operator, PaymentsError::NotPayer);
        require!(!self.closed(now), PaymentsError::ChannelClosed);
        let payer_was_closing = self.payer_closes == 1;
        self.payer_closes |= u8::from(by_payer);
        let watched = self.watcher().is_none_or(|watcher| signed(&watcher));
        if by_operator && self.payer_closes == 1 && watched {
            (self.closes_at, self.closes_slot) = (now.unix_seconds, now.slot);
        } else if self.closes_at == i64::MAX {
            let end = self.grace_end(now)?;
            (self.closes_at, self.closes_slot) = (end.unix_seconds, end.slot);
        } else {
            // A payer may still join its operator's request, which then can close at once.
            let joins = by_payer && !payer_was_closing;
            require!(joins, PaymentsError::ChannelClosing);
        }
        self.check()
    }

    /// Returns whether nothing settles any more.
    ///
    /// The clock of a cluster that halts jumps when it resumes, but its slots do not: both the time
    /// and the slots of the grace period must have passed.
    pub fn closed(&self, now: Moment) -> bool {
        now.unix_seconds >= self.closes_at && now.slot >= self.closes_slot
    }

    /// Returns the watcher, if there is one.
    pub fn watcher(&self) -> Option<Pubkey> {
        (self.watcher != Pubkey::default()).then_some(self.watcher)
    }

    /// Returns the end of a grace period that starts `now`.
    fn grace_end(&self, now: Moment) -> Result<Moment, PaymentsError> {
        let unix_seconds = now.unix_seconds.checked_add(i64::from(self.grace_seconds));
        let slot = now.slot.checked_add(u64::from(self.grace_seconds) * Self::SLOTS_PER_SECOND);
        let end = unix_seconds.zip(slot).ok_or(PaymentsError::Overflow)?;
        Ok(Moment { unix_seconds: end.0, slot: end.1 })
    }

    /// Records the refund of the uncharged deposit and returns it.
    ///
    /// All quotas must be released, which is permissionless by then: no quota outlives its earmark.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelStillOpen`], [`PaymentsError::AlreadyWithdrawn`],
    /// [`PaymentsError::QuotasHeld`].
    pub fn withdraw(&mut self, now: Moment) -> Result<u64, PaymentsError> {
        require!(self.closed(now), PaymentsError::ChannelStillOpen);
        require!(self.withdrawn == 0, PaymentsError::AlreadyWithdrawn);
        require!(self.quotas_held == 0, PaymentsError::QuotasHeld);
        self.refunded = self.free()?;
        self.withdrawn = 1;
        self.check()?;
        Ok(self.refunded)
    }

    /// Returns the key that signs vouchers at `now`.
    pub fn voucher_key_at(&self, now: Moment) -> &Pubkey {
        let rotated = now.unix_seconds >= self.rotates_at && now.slot >= self.rotates_slot;
        if rotated { &self.next_voucher_key } else { &self.voucher_key }
    }

    /// Replaces the voucher key: at once if the operator agreed, and the watcher if there is one,
    /// otherwise after the grace period, in which vouchers of the old key can be settled. Replaces
    /// a pending rotation.
    ///
    /// # Errors
    /// [`PaymentsError::InvalidVoucherKey`], [`PaymentsError::Overflow`].
    pub fn rotate_voucher_key(
        &mut self,
        key: Pubkey,
        agreed: bool,
        now: Moment,
    ) -> Result<(), PaymentsError> {
        require!(self.accepts_voucher_key(&key), PaymentsError::InvalidVoucherKey);
        self.voucher_key = *self.voucher_key_at(now);
        if agreed {
            self.voucher_key = key;
            self.next_voucher_key = Pubkey::default();
            (self.rotates_at, self.rotates_slot) = (i64::MAX, 0);
        } else {
            let end = self.grace_end(now)?;
            self.next_voucher_key = key;
            (self.rotates_at, self.rotates_slot) = (end.unix_seconds, end.slot);
        }
        self.check()
    }

    /// Returns whether `key` may sign vouchers. Two keys may not: one off the curve, which is a
    /// program address and cannot sign, and the payer's own, which signs transactions.
    pub fn accepts_voucher_key(&self, key: &Pubkey) -> bool {
        *key != self.payer && on_curve(key)
    }

    /// Checks that the account can be closed: everything was paid out, and with the withdrawal all
    /// quotas were released.
    ///
    /// Fees that could not be paid within [`Channel::FEE_CLAIM_SECONDS`] are forfeited. Paying them is
    /// permissionless, so only their owner can prevent it: by giving its token account away, or by
    /// making it refuse transfers. It must not keep the payer's rent by that.
    ///
    /// # Errors
    /// [`PaymentsError::NotWithdrawn`], [`PaymentsError::ChannelNotEmpty`],
    /// [`PaymentsError::SlotNotElapsed`].
    pub fn check_closable(&self, now: Moment) -> Result<(), PaymentsError> {
        require!(self.withdrawn == 1, PaymentsError::NotWithdrawn);
        let to_works = self.prices.checked_add(self.upfront_fees);
        require!(to_works == Some(self.collected), PaymentsError::ChannelNotEmpty);
        let forfeited_at = self.closes_at.saturating_add(Self::FEE_CLAIM_SECONDS);
        let paid = self.fees_claimed == self.fees() || now.unix_seconds >= forfeited_at;
        require!(paid, PaymentsError::ChannelNotEmpty);
        // Vouchers distinguish channels at one address by the slot of their opening.
        require!(now.slot > self.opened_slot, PaymentsError::SlotNotElapsed);
        Ok(())
    }

    /// Returns the part of the deposit that is neither charged, earmarked nor refunded, base units.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn free(&self) -> Result<u64, PaymentsError> {
        Ok(self.deposited - self.committed()? - self.refunded) // an invariant
    }

    /// Returns what is charged or earmarked, with the fees on both, base units.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn committed(&self) -> Result<u64, PaymentsError> {
        let prices = self.prices.checked_add(self.earmarked).ok_or(PaymentsError::Overflow)?;
        let with_fees = prices.checked_add(floor_share(prices, self.operator_fee_bps));
        let total = with_fees.and_then(|total| total.checked_add(self.upfront_fees));
        total.ok_or(PaymentsError::Overflow)
    }

    /// Checks that the quota of `license` may be released: by anyone after the license can no
    /// longer be charged, before that by operator and payer together. The payer has paid for the
    /// license, and the operator may hold vouchers for it.
    ///
    /// `signed` states whether a key has signed.
    ///
    /// # Errors
    /// [`PaymentsError::LicenseInUse`].
    pub fn require_releasable(
        &self,
        license: &License,
        signed: impl Fn(&Pubkey) -> bool,
        now: Moment,
    ) -> Result<(), PaymentsError> {
        let over = now.unix_seconds > license.expires_at || self.closed(now);
        let agreed = signed(&self.payer) && signed(&self.operator);
        require!(over || agreed, PaymentsError::LicenseInUse);
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

    /// Checks that `settler` may settle at `now`: the operator until the channel closes, and the
    /// watcher in the second half of the grace period.
    ///
    /// Another holder of vouchers, such as the payer, could settle an older voucher of the current
    /// statement, or sign the next statement itself, and so void the newest voucher.
    ///
    /// # Errors
    /// [`PaymentsError::ChannelClosed`], [`PaymentsError::SettlerNotAllowed`].
    #[inline(always)]
    fn require_may_settle(
        &self,
        settler: &Pubkey,
        by_operator: bool,
        now: Moment,
    ) -> Result<(), PaymentsError> {
        require!(!self.closed(now), PaymentsError::ChannelClosed);
        if by_operator {
            return Ok(());
        }
        let half = self.grace_seconds / 2;
        let second_half = now.unix_seconds >= self.closes_at.saturating_sub(i64::from(half))
            && now.slot
                >= self.closes_slot.saturating_sub(u64::from(half) * Self::SLOTS_PER_SECOND);
        let allowed = *settler == self.watcher && second_half;
        require!(allowed, PaymentsError::SettlerNotAllowed);
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
        let SettleRequest {
            channel: address,
            proven,
            statement,
            receipts,
            settler,
            by_operator,
            now,
        } = *request;
        let voucher = &proven.voucher;
        self.require_may_settle(settler, by_operator, now)?;
        let signer = self.voucher_key_at(now);
        require!(proven.key == *signer, PaymentsError::VoucherSignerMismatch);
        let for_this_channel = voucher.channel == address
            && voucher.cluster == self.cluster
            && voucher.opened_slot == self.opened_slot;
        require!(for_this_channel, PaymentsError::VoucherChannelMismatch);
        let current = self.statements.length;
        require!(voucher.statement == current, PaymentsError::VoucherStatementMismatch);
        require!(now.unix_seconds <= voucher.expires_at, PaymentsError::VoucherExpired);
        let statement_digest = hash(statement).to_bytes();
        let same_digest = voucher.statement_digest == statement_digest;
        require!(same_digest, PaymentsError::StatementDigestMismatch);

        let (mut prices, mut released): (u64, u64) = (0, 0);
        for entry in entries(statement)? {
            let entry = entry?;
            let license = licenses.get_mut(usize::from(entry.license));
            let charge = license
                .ok_or(PaymentsError::LicenseNotFound)
                .and_then(|license| license.charge(entry.units, now.unix_seconds))
                .inspect_err(|_| log(&format!("license {}", entry.license)))?;
            prices = prices.checked_add(charge.price).ok_or(PaymentsError::Overflow)?;
            // The earmarks of all licenses together fit, so the sum does not wrap.
            released = released.wrapping_add(charge.released);
        }

        let fees_before = self.fees();
        self.prices = self.prices.checked_add(prices).ok_or(PaymentsError::Overflow)?;
        let cumulative = self.cumulative()?;
        require!(voucher.cumulative == cumulative, PaymentsError::VoucherTotalMismatch);
        let charged = self.upfront_fees.checked_add(cumulative);
        let charged = charged.ok_or(PaymentsError::Overflow)?;
        let mut committed = charged;
        if self.earmarked > 0 {
            let earmarked = self.earmarked.checked_sub(released);
            self.earmarked = earmarked.ok_or(PaymentsError::Overflow)?;
            committed = self.committed()?;
        }
        require!(committed <= self.deposited, PaymentsError::InsufficientDeposit);
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
        self.check_totals(charged, committed)?;
        Ok(settlement)
    }

    /// Checks the invariants; last step of every change.
    ///
    /// # Errors
    /// [`PaymentsError::ChargedAboveDeposit`], [`PaymentsError::CollectedAboveCharged`],
    /// [`PaymentsError::Overflow`].
    fn check(&self) -> Result<(), PaymentsError> {
        self.check_totals(self.charged()?, self.committed()?)
    }

    /// Checks the invariants with known values of [`Channel::charged`] and [`Channel::committed`].
    ///
    /// # Errors
    /// As [`Channel::check`].
    fn check_totals(&self, charged: u64, committed: u64) -> Result<(), PaymentsError> {
        let spent = committed.checked_add(self.refunded).ok_or(PaymentsError::Overflow)?;
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
const _: () = assert!(Channel::HEADER_SPACE == 1_128);
const _: () = assert!(Channel::space(1) == 1_264);
const _: () = assert!(Channel::PAYER_OFFSET == 8 + std::mem::offset_of!(Channel, payer));
const _: () = assert!(Channel::OPERATOR_OFFSET == 8 + std::mem::offset_of!(Channel, operator));
