use payments::PaymentsError;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;

use super::{License, Refused, Rules, exact, refused};

/// No end, in unix seconds.
pub const NEVER: i64 = i64::MAX;

/// Licenses and units of the valid prefix of a statement's bytes, and whether all bytes are
/// valid.
pub type Entries = (Vec<(u16, u32)>, bool);

/// Channel of a payer and an operator.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Payer.
    pub payer: Pubkey,
    /// Operator.
    pub operator: Pubkey,
    /// Watcher, if there is one.
    pub watcher: Option<Pubkey>,
    /// Mint.
    pub mint: Pubkey,
    /// Distinguishes channels between the same parties.
    pub salt: u64,
    /// Slot of opening.
    pub opened_slot: u64,
    /// Operator's fee on top of prices, basis points.
    pub fee_bps: u16,
    /// Grace period.
    pub grace_seconds: i64,
    /// Voucher keys with the first second and slot of each, latest last.
    pub keys: Vec<(i64, u64, Pubkey)>,
    /// Total, base units.
    pub deposited: u128,
    /// Fees paid to the operator.
    pub fees_claimed: u128,
    /// Refund to the payer; `None` before.
    pub refunded: Option<u128>,
    /// Unix second from which nothing settles, once `closes_slot` is reached too.
    pub closes_at: i64,
    /// Slot from which nothing settles, once `closes_at` is reached too.
    pub closes_slot: u64,
    /// Whether the payer requested to close it.
    pub payer_closes: bool,
    /// Whether payer or voucher key was one of the operator's keys when it was opened.
    pub self_metered: bool,
    /// Licenses, by index.
    pub licenses: Vec<License>,
    /// Hashes of the records of settled statements.
    pub statements: Vec<[u8; 32]>,
}

/// Statement with its voucher and settler.
#[derive(Clone, Debug)]
pub struct Settling {
    /// Sender.
    pub settler: Pubkey,
    /// Authority of the operator whose account is in the call.
    pub operator: Pubkey,
    /// Signer of the voucher.
    pub signer: Pubkey,
    /// Whether the voucher names this channel, cluster and incarnation.
    pub for_this_channel: bool,
    /// Number of the voucher's statement.
    pub statement: u64,
    /// Total of the voucher.
    pub cumulative: u64,
    /// Last second of the voucher.
    pub expires_at: i64,
    /// Digest in the voucher.
    pub digest: [u8; 32],
    /// Digest of the sent bytes.
    pub sent_digest: [u8; 32],
    /// Licenses and units of the valid prefix of the sent bytes, and whether all bytes are valid.
    pub entries: Entries,
    /// Root and sum of the receipts.
    pub receipts: Option<([u8; 32], u64)>,
}

impl Channel {
    /// Returns the prices charged for units.
    pub fn prices(&self) -> u128 {
        self.licenses.iter().map(|license| license.prices).sum()
    }

    /// Returns the upfront fees.
    pub fn upfront(&self) -> u128 {
        self.licenses.iter().map(|license| license.upfront).sum()
    }

    /// Returns the credit that was collected.
    pub fn collected(&self) -> u128 {
        self.licenses.iter().map(|license| license.collected).sum()
    }

    /// Returns the operator's fees in total.
    pub fn fees(&self) -> u128 {
        exact::share(self.prices(), self.fee_bps)
    }

    /// Returns the payer's total charges.
    pub fn charged(&self) -> u128 {
        self.upfront() + self.prices() + self.fees()
    }

    /// Returns the charged and earmarked amount, with fees on both.
    pub fn committed(&self) -> u128 {
        let prices = self.prices().saturating_add(self.earmarked());
        prices.saturating_add(exact::share(prices, self.fee_bps)).saturating_add(self.upfront())
    }

    /// Returns the amount earmarked for quotas, without fees.
    pub fn earmarked(&self) -> u128 {
        self.licenses.iter().map(License::earmark).fold(0, u128::saturating_add)
    }

    /// Returns whether nothing settles any more.
    pub fn closed(&self, now: i64, slot: u64) -> bool {
        now >= self.closes_at && slot >= self.closes_slot
    }

    /// Returns the amount that the vault can still pay out for this channel.
    pub fn left(&self) -> u128 {
        self.deposited - self.refunded.unwrap_or(0) - self.collected() - self.fees_claimed
    }

    /// Returns the valid voucher key.
    pub fn key_at(&self, now: i64, slot: u64) -> Pubkey {
        let began = self.keys.iter().rev().find(|(from, first, _)| now >= *from && slot >= *first);
        began.map_or(Pubkey::default(), |(_, _, key)| *key)
    }

    /// Returns whether a key can be a voucher key.
    pub fn may_sign(&self, key: &Pubkey) -> bool {
        *key != self.payer && key.is_on_curve()
    }

    /// Adds to the deposit.
    pub(super) fn top_up(&mut self, amount: u64, rules: &mut Rules) {
        rules.require(amount > 0, PaymentsError::EmptyAmount);
        rules.require(self.closes_at == NEVER, PaymentsError::ChannelClosing);
        let deposited = self.deposited + u128::from(amount);
        rules.require(exact::fits(deposited), PaymentsError::Overflow);
        self.deposited = deposited;
    }

    /// Rotates the voucher key.
    pub(super) fn rotate(
        &mut self,
        key: Pubkey,
        agreed: bool,
        (now, slot): (i64, u64),
        rules: &mut Rules,
    ) {
        rules.require(self.may_sign(&key), PaymentsError::InvalidVoucherKey);
        let from = if agreed { Some(i64::MIN) } else { now.checked_add(self.grace_seconds) };
        rules.require(from.is_some(), PaymentsError::Overflow);
        let first = if agreed { 0 } else { slot + self.grace_seconds as u64 };
        let present = self.key_at(now, slot);
        self.keys = vec![(i64::MIN, 0, present), (from.unwrap_or(NEVER), first, key)];
    }

    /// Starts the grace period, or ends it.
    pub(super) fn close(&mut self, signers: &[Pubkey], (now, slot): (i64, u64), rules: &mut Rules) {
        let signed = |key: &Pubkey| signers.contains(key);
        let (payer, operator) = (signed(&self.payer), signed(&self.operator));
        rules.require(payer || operator, PaymentsError::NotPayer);
        rules.require(!self.closed(now, slot), PaymentsError::ChannelClosed);
        let was_leaving = self.payer_closes;
        self.payer_closes |= payer;
        let watched = self.watcher.is_none_or(|watcher| signed(&watcher));
        if operator && self.payer_closes && watched {
            (self.closes_at, self.closes_slot) = (now, slot);
            return;
        }
        if self.closes_at != NEVER {
            let joins = self.payer_closes && !was_leaving;
            rules.require(joins, PaymentsError::ChannelClosing);
            return;
        }
        let closes_at = now.checked_add(self.grace_seconds);
        rules.require(closes_at.is_some(), PaymentsError::Overflow);
        self.closes_at = closes_at.unwrap_or(NEVER);
        self.closes_slot = slot + self.grace_seconds as u64;
    }

    /// Refunds the payer; returns the amount.
    pub(super) fn withdraw(&mut self, now: i64, slot: u64, rules: &mut Rules) -> u128 {
        rules.require(self.closed(now, slot), PaymentsError::ChannelStillOpen);
        rules.require(self.refunded.is_none(), PaymentsError::AlreadyWithdrawn);
        let held = self.licenses.iter().any(|license| license.holds_quota());
        rules.require(!held, PaymentsError::QuotasHeld);
        let refund = self.deposited - self.charged();
        self.refunded = Some(refund);
        refund
    }

    /// Pays the operator's fees; returns the amount.
    pub(super) fn claim_fees(&mut self, rules: &mut Rules) -> u128 {
        let new = self.fees() - self.fees_claimed;
        rules.require(new > 0, PaymentsError::NothingToClaim);
        self.fees_claimed += new;
        new
    }

    /// Settles a statement; `settle_key` is the operator's.
    pub(super) fn settle(
        &mut self,
        address: Pubkey,
        what: &Settling,
        settle_key: Pubkey,
        (now, slot): (i64, u64),
        rules: &mut Rules,
    ) {
        rules.require(!self.closed(now, slot), PaymentsError::ChannelClosed);
        let half = self.grace_seconds / 2;
        let late = i128::from(now) >= i128::from(self.closes_at) - i128::from(half)
            && i128::from(slot) >= i128::from(self.closes_slot) - i128::from(half);
        let own = what.operator == self.operator;
        rules.require(own, PaymentsError::InvalidOperatorAccount);
        let operator = what.settler == settle_key;
        let may = operator || late && self.watcher == Some(what.settler);
        rules.require(may, PaymentsError::SettlerNotAllowed);
        let signer = self.key_at(now, slot);
        rules.require(what.signer == signer, PaymentsError::VoucherSignerMismatch);
        rules.require(what.for_this_channel, PaymentsError::VoucherChannelMismatch);
        let number = self.statements.len() as u64;
        rules.require(what.statement == number, PaymentsError::VoucherStatementMismatch);
        rules.require(now <= what.expires_at, PaymentsError::VoucherExpired);
        rules.require(what.digest == what.sent_digest, PaymentsError::StatementDigestMismatch);

        let (fees_before, mut prices) = (self.fees(), 0);
        let (entries, whole) = &what.entries;
        rules.require(*whole, PaymentsError::InvalidStatement);
        for &(index, units) in entries {
            match self.licenses.get_mut(usize::from(index)) {
                Some(license) => prices += license.charge(units, now, rules),
                None => drop(rules.require(false, PaymentsError::LicenseNotFound)),
            }
        }
        let cumulative = self.prices() + self.fees();
        let narrow = exact::fits(prices) && exact::fits(self.committed());
        rules.require(narrow, PaymentsError::Overflow);
        rules.require(
            u128::from(what.cumulative) == cumulative,
            PaymentsError::VoucherTotalMismatch,
        );
        rules.require(self.committed() <= self.deposited, PaymentsError::InsufficientDeposit);
        // Possible only after the clock stepped back behind a withdrawal.
        let spent = self.charged() + self.refunded.unwrap_or(0);
        rules.require(spent <= self.deposited, PaymentsError::ChargedAboveDeposit);
        let receipts = what.receipts.filter(|_| operator);
        if let Some((_, sum)) = receipts {
            rules.require(u128::from(sum) == prices, PaymentsError::ReceiptsSumMismatch);
        }
        if rules.hold() {
            let fee = self.fees() - fees_before;
            let root = receipts.map(|(root, _)| root);
            self.statements.push(self.record(address, number, prices, fee, what.digest, root));
        }
    }

    /// Returns a statement's record in the layout of docs/formats.md.
    fn record(
        &self,
        address: Pubkey,
        number: u64,
        prices: u128,
        fee: u128,
        digest: [u8; 32],
        receipts: Option<[u8; 32]>,
    ) -> [u8; 32] {
        let amount = |amount: u128| (amount as u64).to_le_bytes(); // totals fit, or no record
        hashv(&[
            b"\xFFmotif-settled\x00\x01",
            address.as_ref(),
            &self.opened_slot.to_le_bytes(),
            &number.to_le_bytes(),
            &amount(prices),
            &amount(fee),
            &amount(self.prices() + self.fees()),
            &digest,
            &[u8::from(receipts.is_some())],
            &receipts.unwrap_or_default(),
        ])
        .to_bytes()
    }

    /// Returns the root of the perfect tree over `count` statements from `first` on.
    pub fn root(&self, first: usize, count: usize) -> [u8; 32] {
        if count == 1 {
            return self.statements[first];
        }
        let half = count / 2;
        let (left, right) = (self.root(first, half), self.root(first + half, half));
        hashv(&[&[1], &left, &right]).to_bytes()
    }

    /// Collects the credit of licenses; returns the works and amounts.
    pub(super) fn collect(&mut self, indexes: &[u16], rules: &mut Rules) -> Vec<(Pubkey, u128)> {
        let mut credits = Vec::new();
        for &index in indexes {
            match self.licenses.get_mut(usize::from(index)) {
                Some(license) => {
                    credits.push((license.work, license.credit()));
                    license.collected += license.credit();
                }
                None => drop(rules.require(false, PaymentsError::LicenseNotFound)),
            }
        }
        let total: u128 = credits.iter().map(|(_, amount)| amount).sum();
        rules.require(total > 0, PaymentsError::NothingToCollect);
        credits
    }

    /// Checks whether the account can be closed.
    pub(super) fn check_closable(&self, now: i64, slot: u64) -> Result<(), Refused> {
        let mut rules = Rules::default();
        rules.require(self.refunded.is_some(), PaymentsError::NotWithdrawn);
        let forfeited = now >= self.closes_at.saturating_add(30 * 86_400);
        let fees = if forfeited { self.fees_claimed } else { self.fees() };
        let taken = self.collected() + self.fees_claimed;
        let empty = taken == self.upfront() + self.prices() + fees;
        rules.require(empty, PaymentsError::ChannelNotEmpty);
        rules.require(slot > self.opened_slot, PaymentsError::SlotNotElapsed);
        rules.check()
    }

    /// Returns the license at an index.
    ///
    /// # Errors
    /// If it does not exist.
    pub fn license(&self, index: u16) -> Result<&License, Refused> {
        let license = self.licenses.get(usize::from(index));
        license.map_or_else(|| refused(PaymentsError::LicenseNotFound), Ok)
    }
}
