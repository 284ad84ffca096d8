//! Totals of a channel, as its payer has signed them.

use motif_interface::{
    bps::floor_share,
    channel::{Channel, ChannelAccount, License},
    receipt::{Receipt, SignedReceipt},
    voucher::{SignedVoucher, Statement},
};
use motif_wire::{BatchedGeneration, ChannelState, ExpectedStatement, StatementState};
use solana_pubkey::Pubkey;

use crate::error::{PayerError, untrusted};

/// Units and prices of a channel before and in its open statement.
#[derive(Clone, Debug)]
pub struct Books {
    pub address: Pubkey,
    /// Parties and totals as last read from the chain.
    pub channel: Channel,
    /// State before the open statement.
    pub licenses: Vec<License>,
    /// Number of the open statement.
    pub number: u64,
    /// Sum of prices before the open statement, base units.
    earlier_prices: u64,
    pub statement: Statement,
    /// Sum of the open statement's prices, base units.
    pub prices: u64,
}

/// Open statement with payments that are not counted yet.
#[derive(Clone, Debug)]
pub struct Draft {
    pub statement: Statement,
    /// Sum of the open statement's prices with them, base units.
    pub prices: u64,
}

impl Books {
    /// Creates the books of a channel without unsettled statements.
    pub fn new(address: Pubkey, account: &ChannelAccount) -> Self {
        Self {
            address,
            channel: account.channel,
            licenses: account.licenses.clone(),
            number: account.channel.statements.length,
            earlier_prices: account.channel.prices,
            statement: Statement::default(),
            prices: 0,
        }
    }

    /// Returns prices and fees since the channel opened, base units.
    ///
    /// # Errors
    /// [`PayerError::Overflow`].
    pub fn cumulative(&self) -> Result<u64, PayerError> {
        self.cumulative_with(self.prices)
    }

    /// Returns the total with these prices in the open statement, base units.
    ///
    /// # Errors
    /// [`PayerError::Overflow`].
    pub fn cumulative_with(&self, prices: u64) -> Result<u64, PayerError> {
        let total = self.earlier_prices.checked_add(prices).ok_or(PayerError::Overflow)?;
        let fees = floor_share(total, self.channel.operator_fee_bps);
        total.checked_add(fees).ok_or(PayerError::Overflow)
    }

    /// Returns a license before the open statement.
    ///
    /// # Errors
    /// [`PayerError::LicenseNotFound`].
    pub fn license(&self, index: u16) -> Result<License, PayerError> {
        let license = self.licenses.get(usize::from(index));
        license.copied().ok_or(PayerError::LicenseNotFound(index))
    }

    pub fn draft(&self) -> Draft {
        Draft { statement: self.statement.clone(), prices: self.prices }
    }

    /// Adds units to a draft; returns their price, by the program's code. Without `now`, dates are
    /// ignored, as for what was signed before. The draft is unchanged on error.
    ///
    /// # Errors
    /// [`PayerError::LicenseNotFound`], [`PayerError::LicenseRefuses`],
    /// [`PayerError::StatementFull`], [`PayerError::Overflow`].
    pub fn add(
        &self,
        draft: &mut Draft,
        (license, units): (u16, u32),
        now: Option<i64>,
    ) -> Result<u64, PayerError> {
        let base = self.license(license)?;
        let mut entries = draft.statement.entries();
        let present = entries.find(|entry| entry.license == license);
        let present = present.map_or(0, |entry| entry.units);
        drop(entries);
        let total = present.checked_add(units).ok_or(motif_interface::voucher::StatementFull)?;
        let with = price(base, license, total, now)?;
        let without = price(base, license, present, now)?;
        // Both come from the same code and license.
        let price = with.saturating_sub(without);
        let prices = draft.prices.checked_add(price).ok_or(PayerError::Overflow)?;
        draft.statement.add(license, units)?;
        draft.prices = prices;
        Ok(price)
    }

    /// Counts accepted payments.
    pub fn count(&mut self, draft: Draft) {
        (self.statement, self.prices) = (draft.statement, draft.prices);
    }

    /// Closes the open statement and applies it to the licenses, at `now` if it is known.
    pub fn cut(&mut self, now: Option<i64>) {
        for entry in self.statement.entries() {
            if let Some(license) = self.licenses.get_mut(usize::from(entry.license)) {
                let (expires_at, daily_units) = (license.expires_at, license.daily_units);
                let mut charged = if now.is_some() { *license } else { dateless(*license) };
                // The same charge succeeded on a copy before signing, unless it is past its date.
                if charged.charge(entry.units, now.unwrap_or(0)).is_ok() {
                    *license = License { expires_at, daily_units, ..charged };
                }
            }
        }
        self.number = self.number.saturating_add(1);
        self.earlier_prices = self.earlier_prices.saturating_add(self.prices);
        self.statement = Statement::default();
        self.prices = 0;
    }

    /// Moves to the next statement if the gateway's total equals this payer's. An empty statement is not
    /// followed: it never settles, nor does any after it.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`].
    pub fn follow_cut(&mut self, expected: &ExpectedStatement, now: i64) -> Result<(), PayerError> {
        let (own, next) = (self.cumulative()?, self.number.saturating_add(1));
        if self.statement.is_empty() {
            return Err(untrusted(format!("it closes the empty statement {}", self.number)));
        }
        let follows = expected.statement == next
            && expected.cumulative.0 == own
            && expected.entries.is_empty();
        if !follows {
            return Err(untrusted(format!(
                "it continues with statement {} at {}: expected {next} at {own}, by this payer's \
                 totals",
                expected.statement, expected.cumulative,
            )));
        }
        self.cut(Some(now));
        Ok(())
    }

    /// Counts everything that the gateway shows as unsettled, if this payer's key signed it.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`].
    pub fn take_over_all(&mut self, state: &ChannelState) -> Result<(), PayerError> {
        for unsettled in &state.unsettled {
            // It may have settled since the gateway's last read.
            if unsettled.statement >= self.number {
                self.take_over(unsettled)?;
                self.cut(None);
            }
        }
        if state.open.statement != self.number {
            return Err(untrusted(format!(
                "its open statement is {}: expected {}",
                state.open.statement, self.number
            )));
        }
        match state.open.voucher {
            Some(_) => self.take_over(&state.open),
            None => Ok(()),
        }
    }

    /// Counts a statement of the gateway if this payer's key signed it.
    fn take_over(&mut self, state: &StatementState) -> Result<(), PayerError> {
        let refuse = |what: &str| {
            let number = state.statement;
            untrusted(format!("its statement {number} {what}"))
        };
        let voucher = state.voucher.as_ref().ok_or_else(|| refuse("has no voucher"))?;
        let signed = SignedVoucher { key: self.channel.voucher_key, ..*voucher };
        // A longer list is not one that this payer has signed.
        let entries = state.entries.iter().take(Statement::MAX_LICENSES + 1);
        let entries = entries.map(|entry| (entry.license, entry.units));
        let statement: Statement = entries.collect();
        let ours = state.statement == self.number
            && signed.verifies()
            && signed.voucher.cluster == self.channel.cluster
            && signed.voucher.channel == self.address
            && signed.voucher.opened_slot == self.channel.opened_slot
            && signed.voucher.statement == self.number
            && signed.voucher.statement_digest == statement.digest();
        if !ours {
            return Err(refuse("was not signed by this payer"));
        }
        let mut draft = Draft { statement: Statement::default(), prices: 0 };
        for entry in statement.entries() {
            self.add(&mut draft, (entry.license, entry.units), None)?;
        }
        if self.cumulative_with(draft.prices)? != signed.voucher.cumulative {
            return Err(refuse("does not add up to its voucher"));
        }
        self.count(draft);
        Ok(())
    }

    /// Whether a receipt is for this channel, license, request and output. Does not check units,
    /// prices and position.
    ///
    /// # Errors
    /// [`PayerError::LicenseNotFound`].
    pub fn is_for(
        &self,
        receipt: &Receipt,
        (license, request_digest, output_digest): (u16, &[u8; 32], &[u8; 32]),
    ) -> Result<bool, PayerError> {
        let known = self.license(license)?;
        Ok(receipt.channel == self.address
            && receipt.opened_slot == self.channel.opened_slot
            && receipt.license == license
            && receipt.work == known.work
            && receipt.terms_number == known.terms_number
            && receipt.request_digest == *request_digest
            && receipt.output_digest == *output_digest)
    }

    /// Verifies that receipts are for exactly these generations, in order. `prices` are theirs and
    /// `voucher` paid for them. `verifies` checks the operator's signature.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`].
    pub fn check(
        &self,
        voucher: &SignedVoucher,
        (generations, prices): (&[BatchedGeneration], &[u64]),
        receipts: &[SignedReceipt],
        mut verifies: impl FnMut(&SignedReceipt) -> bool,
    ) -> Result<(), PayerError> {
        if receipts.len() != generations.len() || prices.len() != generations.len() {
            let what = "the number of receipts differs from the number of generations";
            return Err(untrusted(what));
        }
        let mut next: Option<u32> = None;
        for ((one, price), signed) in generations.iter().zip(prices).zip(receipts) {
            let receipt = &signed.receipt;
            let of = (one.license, &one.request_digest.0, &one.output_digest.0);
            let as_asked = self.is_for(receipt, of)?
                && receipt.statement == voucher.voucher.statement
                && receipt.units == one.units
                && receipt.amount == *price
                && receipt.cumulative == voucher.voucher.cumulative;
            if !as_asked {
                return Err(untrusted("the receipt is for another request"));
            }
            if next.is_some_and(|next| next != receipt.position) {
                return Err(untrusted("the receipts are not consecutive"));
            }
            if !verifies(signed) {
                return Err(untrusted("the operator did not sign the receipt"));
            }
            next = receipt.position.checked_add(1);
        }
        Ok(())
    }
}

/// Returns the price of `units`, by the program's code; without `now`, dates are ignored.
fn price(license: License, index: u16, units: u32, now: Option<i64>) -> Result<u64, PayerError> {
    if units == 0 {
        return Ok(0);
    }
    let mut license = if now.is_some() { license } else { dateless(license) };
    license.charge(units, now.unwrap_or(0)).map(|charge| charge.price).map_err(|error| {
        let reason = error.to_string();
        PayerError::LicenseRefuses { license: index, reason }
    })
}

/// Returns a license without expiry and daily cap.
fn dateless(license: License) -> License {
    License { expires_at: i64::MAX, daily_units: License::UNLIMITED, ..license }
}
