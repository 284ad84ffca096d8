use payments::PaymentsError;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;

use super::{License, Refused, Rules, exact, refused};

/// Forever, in unix seconds.
pub const NEVER: i64 = i64::MAX;

/// Licenses and units, up to where bytes are no statement any more, and whether they are one to
/// the end.
pub type Entries = (Vec<(u16, u32)>, bool);

/// One payer's escrow towards one operator.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Funds it.
    pub payer: Pubkey,
    /// Settles on it.
    pub operator: Pubkey,
    /// Settles on it too, late in the grace period.
    pub watcher: Option<Pubkey>,
    /// In which currency.
    pub mint: Pubkey,
    /// Tells it from others between the same parties.
    pub salt: u64,
    /// When it was opened.
    pub opened_slot: u64,
    /// Basis points on top of prices.
    pub fee_bps: u16,
    /// From closing by the payer to the last settlement.
    pub grace_seconds: i64,
    /// Voucher keys with the second and the slot from which each of them signs, latest last.
    pub keys: Vec<(i64, u64, Pubkey)>,
    /// Base units, ever.
    pub deposited: u128,
    /// Fees paid to the operator.
    pub fees_claimed: u128,
    /// Given back to the payer; `None` before.
    pub refunded: Option<u128>,
    /// From this second nothing settles, if the slot is there too.
    pub closes_at: i64,
    /// From this slot nothing settles, if the second is there too.
    pub closes_slot: u64,
    /// The payer asked to close it.
    pub payer_leaves: bool,
    /// What it licenses.
    pub licenses: Vec<License>,
    /// Hashes of the records of settled statements.
    pub statements: Vec<[u8; 32]>,
}

/// A statement with its voucher, and who brings it.
#[derive(Clone, Debug)]
pub struct Settling {
    /// The sender.
    pub settler: Pubkey,
    /// The voucher's signer.
    pub signer: Pubkey,
    /// The voucher names this channel, its cluster and its incarnation.
    pub for_this_channel: bool,
    /// Which statement the voucher is for.
    pub statement: u64,
    /// The total it vouches for.
    pub cumulative: u64,
    /// Last second of the voucher.
    pub expires_at: i64,
    /// The digest in the voucher.
    pub digest: [u8; 32],
    /// The digest of the bytes that were sent.
    pub sent_digest: [u8; 32],
    /// What those bytes say, up to where they are no statement any more, and whether they are
    /// one to the end.
    pub entries: Entries,
    /// Root and sum of the receipts.
    pub receipts: Option<([u8; 32], u64)>,
}

impl Channel {
    /// Prices charged for units.
    pub fn prices(&self) -> u128 {
        self.licenses.iter().map(|license| license.prices).sum()
    }

    /// Charged at acceptances.
    pub fn upfront(&self) -> u128 {
        self.licenses.iter().map(|license| license.upfront).sum()
    }

    /// Credit that has become earnings.
    pub fn collected(&self) -> u128 {
        self.licenses.iter().map(|license| license.collected).sum()
    }

    /// The operator's fees, ever.
    pub fn fees(&self) -> u128 {
        exact::share(self.prices(), self.fee_bps)
    }

    /// Everything the payer owes.
    pub fn charged(&self) -> u128 {
        self.upfront() + self.prices() + self.fees()
    }

    /// Everything the payer owes, and what is put aside for quotas, with fees on both.
    pub fn committed(&self) -> u128 {
        let prices = self.prices() + self.earmarked();
        self.upfront() + prices + exact::share(prices, self.fee_bps)
    }

    /// Put aside for quotas, without fees.
    pub fn earmarked(&self) -> u128 {
        self.licenses.iter().map(License::earmark).sum()
    }

    /// Whether nothing settles any more.
    pub fn closed(&self, now: i64, slot: u64) -> bool {
        now >= self.closes_at && slot >= self.closes_slot
    }

    /// What can still leave the vault because of this channel.
    pub fn left(&self) -> u128 {
        self.deposited - self.refunded.unwrap_or(0) - self.collected() - self.fees_claimed
    }

    /// The key whose vouchers count.
    pub fn key_at(&self, now: i64, slot: u64) -> Pubkey {
        let began = self.keys.iter().rev().find(|(from, first, _)| now >= *from && slot >= *first);
        began.map_or(Pubkey::default(), |(_, _, key)| *key)
    }

    /// Whether a key may sign vouchers.
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

    /// Changes who signs vouchers.
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
        let was_leaving = self.payer_leaves;
        self.payer_leaves |= payer;
        let watched = self.watcher.is_none_or(|watcher| signed(&watcher));
        if operator && self.payer_leaves && watched {
            (self.closes_at, self.closes_slot) = (now, slot);
            return;
        }
        if self.closes_at != NEVER {
            let joins = self.payer_leaves && !was_leaving;
            rules.require(joins, PaymentsError::ChannelClosing);
            return;
        }
        let closes_at = now.checked_add(self.grace_seconds);
        rules.require(closes_at.is_some(), PaymentsError::Overflow);
        self.closes_at = closes_at.unwrap_or(NEVER);
        self.closes_slot = slot + self.grace_seconds as u64;
    }

    /// Gives back what was not charged; returns how much.
    pub(super) fn withdraw(&mut self, now: i64, slot: u64, rules: &mut Rules) -> u128 {
        rules.require(self.closed(now, slot), PaymentsError::ChannelStillOpen);
        rules.require(self.refunded.is_none(), PaymentsError::AlreadyWithdrawn);
        let held = self.licenses.iter().any(|license| license.holds_quota());
        rules.require(!held, PaymentsError::QuotasHeld);
        let refund = self.deposited - self.charged();
        self.refunded = Some(refund);
        refund
    }

    /// Pays the operator; returns how much.
    pub(super) fn claim_fees(&mut self, rules: &mut Rules) -> u128 {
        let new = self.fees() - self.fees_claimed;
        rules.require(new > 0, PaymentsError::NothingToClaim);
        self.fees_claimed += new;
        new
    }

    /// Pays a statement.
    pub(super) fn settle(
        &mut self,
        address: Pubkey,
        what: &Settling,
        (now, slot): (i64, u64),
        rules: &mut Rules,
    ) {
        rules.require(!self.closed(now, slot), PaymentsError::ChannelClosed);
        let half = self.grace_seconds / 2;
        let late = i128::from(now) >= i128::from(self.closes_at) - i128::from(half)
            && i128::from(slot) >= i128::from(self.closes_slot) - i128::from(half);
        let operator = what.settler == self.operator;
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
        let narrow = exact::fits(prices) && exact::fits(self.charged());
        rules.require(narrow, PaymentsError::Overflow);
        rules.require(
            u128::from(what.cumulative) == cumulative,
            PaymentsError::VoucherTotalMismatch,
        );
        rules.require(self.committed() <= self.deposited, PaymentsError::InsufficientDeposit);
        // Only where the clock stepped back behind a withdrawal.
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

    /// The record of a statement, as docs/formats.md lays it out.
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

    /// Root of the perfect tree over the statements from `first` on, `count` of them.
    pub fn root(&self, first: usize, count: usize) -> [u8; 32] {
        if count == 1 {
            return self.statements[first];
        }
        let half = count / 2;
        let (left, right) = (self.root(first, half), self.root(first + half, half));
        hashv(&[&[1], &left, &right]).to_bytes()
    }

    /// Moves licenses' credit out; returns whose earnings grow by how much.
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

    /// Whether the account can go.
    pub(super) fn check_closable(&self, slot: u64) -> Result<(), Refused> {
        let mut rules = Rules::default();
        rules.require(self.refunded.is_some(), PaymentsError::NotWithdrawn);
        let taken = self.collected() + self.fees_claimed;
        rules.require(taken == self.charged(), PaymentsError::ChannelNotEmpty);
        rules.require(slot > self.opened_slot, PaymentsError::SlotNotElapsed);
        rules.check()
    }

    /// The license at an index.
    ///
    /// # Errors
    /// When there is none.
    pub fn license(&self, index: u16) -> Result<&License, Refused> {
        let license = self.licenses.get(usize::from(index));
        license.map_or_else(|| refused(PaymentsError::LicenseNotFound), Ok)
    }
}
