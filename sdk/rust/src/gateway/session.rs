mod held;
mod paid;
mod streamed;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::channel::{Channel, License};
use ed25519_dalek::SigningKey;
use motif_interface::bps::floor_share;
use solana_pubkey::Pubkey;

use super::{
    GatewayClient, GatewayError, IdempotencyKey, PayerAction, PayerRequest, ProblemType,
    paywall::untrusted,
    wire::{
        BatchRequest, BatchedGeneration, Digest, ExpectedStatement, GenerationRequest, PayerProof,
        ReceiptParts, StatementState, VoucherParts,
    },
};
use crate::{
    channel::ChannelAccount,
    receipt::{Receipt, SignedReceipt},
    voucher::{SignedVoucher, Statement, Voucher},
};

pub use held::HeldGeneration;
pub use paid::{PaidAnswer, PaidRequest, PaidUnits};
pub use streamed::{PaidPart, PaidStream};

/// What a payer's session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// The most this session signs for, base units, fees included; `None` for the channel's
    /// whole deposit.
    pub budget: Option<u64>,
    /// How long its vouchers settle.
    pub voucher_seconds: u32,
}

impl Default for SessionPolicy {
    /// The whole deposit; vouchers that settle for a day.
    fn default() -> Self {
        Self { budget: None, voucher_seconds: 86_400 }
    }
}

/// A platform's side of a channel: its statement, its totals, its budget.
///
/// It begins with the channel as the chain has it, and goes on by what it signs itself. From
/// the gateway it takes nothing but receipts it can verify and vouchers it has signed.
pub struct PayerSession {
    gateway: GatewayClient,
    address: Pubkey,
    channel: Channel,
    /// As they stand before the open statement.
    licenses: Vec<License>,
    key: SigningKey,
    policy: SessionPolicy,
    number: u64,
    /// Prices of all statements before the open one.
    earlier_prices: u64,
    statement: Statement,
    /// Prices of the open statement.
    prices: u64,
    /// `cumulative` when the session began.
    began_at: u64,
    unanswered: Option<Unanswered>,
}

/// Generations that were signed for; whether the gateway took them is not known yet.
struct Unanswered {
    key: IdempotencyKey,
    way: Way,
    voucher: VoucherParts,
    generations: Vec<BatchedGeneration>,
    next: Step,
}

/// How generations are paid for.
#[derive(Clone, Copy)]
enum Way {
    One,
    Batch,
    Captured([u8; 32]),
    /// At a paywall, which hands over what is paid for.
    Paywall,
}

/// What generations change.
#[derive(Clone)]
struct Step {
    statement: Statement,
    prices: Vec<u64>,
    cumulative: u64,
}

impl PayerSession {
    /// Begins a session on a channel.
    ///
    /// `account` is the channel as the caller read it from the chain, not from the gateway.
    /// What earlier sessions signed and the chain does not show yet is taken over from the
    /// gateway, each statement only with a voucher that `key` has signed for it.
    ///
    /// # Errors
    /// [`GatewayError::Untrusted`] when the gateway claims what this key did not sign;
    /// otherwise as [`GatewayClient::operator`].
    pub async fn begin(
        gateway: GatewayClient,
        address: Pubkey,
        account: &ChannelAccount,
        key: SigningKey,
        policy: SessionPolicy,
    ) -> Result<Self, GatewayError> {
        let ours = account.channel.voucher_key.to_bytes() == key.verifying_key().to_bytes();
        if !ours {
            return Err(GatewayError::Untrusted("the channel has another voucher key".into()));
        }
        let state = gateway.open_channel(&address).await?;
        let mut session = Self {
            gateway,
            address,
            channel: account.channel,
            licenses: account.licenses.clone(),
            key,
            policy,
            number: account.channel.statements.length,
            earlier_prices: account.channel.prices,
            statement: Statement::default(),
            prices: 0,
            began_at: 0,
            unanswered: None,
        };
        for unsettled in &state.unsettled {
            // The chain may have settled it since the gateway looked.
            if unsettled.statement >= session.number {
                session.take_over(unsettled)?;
                session.cut();
            }
        }
        if state.open.statement != session.number {
            return Err(GatewayError::Untrusted(format!(
                "its open statement is {}, and it should be {}",
                state.open.statement, session.number
            )));
        }
        if state.open.voucher.is_some() {
            session.take_over(&state.open)?;
        }
        session.began_at = session.cumulative()?;
        Ok(session)
    }

    /// Pays for `units` of a license and returns the receipt, verified: signed by the
    /// channel's operator, for exactly what was asked, at the price of the license.
    ///
    /// # Errors
    /// - [`GatewayError::OverBudget`], [`GatewayError::LicenseNotFound`],
    ///   [`GatewayError::LicenseRefuses`]: nothing was signed.
    /// - [`GatewayError::Refused`]: signed, but not taken; the voucher is as good as void,
    ///   because the next one replaces it.
    /// - [`GatewayError::Unreachable`], [`GatewayError::Untrusted`]: whether it was taken is
    ///   not known; [`PayerSession::resume`] asks again and pays nothing twice.
    /// - [`GatewayError::Unanswered`]: an earlier generation is still in that state.
    pub async fn generate(
        &mut self,
        license: u16,
        units: u32,
        request_digest: [u8; 32],
        output_digest: [u8; 32],
    ) -> Result<SignedReceipt, GatewayError> {
        let generation = BatchedGeneration {
            license,
            units,
            request_digest: Digest(request_digest),
            output_digest: Digest(output_digest),
        };
        let receipts = self.pay(Way::One, vec![generation]).await?;
        receipts.first().copied().ok_or(GatewayError::Unanswered)
    }

    /// Pays for several generations with one voucher, all or none; returns their receipts in
    /// order, verified. A blended generation is several that name the same request and output,
    /// each under another license.
    ///
    /// # Errors
    /// As [`PayerSession::generate`].
    pub async fn generate_batch(
        &mut self,
        generations: Vec<BatchedGeneration>,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        self.pay(Way::Batch, generations).await
    }

    fn proof(&self, action: PayerAction) -> PayerProof {
        let request = PayerRequest::new(action, &self.address, &self.channel);
        PayerProof::from(&request.sign(&self.key))
    }

    /// Signs, sends, and signs once more if the gateway has begun another statement meanwhile.
    async fn pay(
        &mut self,
        way: Way,
        generations: Vec<BatchedGeneration>,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        if self.unanswered.is_some() {
            return Err(GatewayError::Unanswered);
        }
        self.sign(way, IdempotencyKey::random(), generations.clone())?;
        match self.resume_signed().await {
            Err(GatewayError::Refused(problem))
                if problem.problem_type() == Some(ProblemType::StatementClosed) =>
            {
                let expected = problem
                    .expected
                    .as_ref()
                    .ok_or_else(|| untrusted("it closed a statement and named no next"))?;
                self.follow_cut(expected)?;
                self.sign(way, IdempotencyKey::random(), generations)?;
                self.resume_signed().await
            }
            answered => answered,
        }
    }

    /// Asks again for the receipt of a generation that got no answer, of a batch for the first
    /// one; `None` when there is none such.
    ///
    /// # Errors
    /// As [`PayerSession::generate`].
    pub async fn resume(&mut self) -> Result<Option<SignedReceipt>, GatewayError> {
        Ok(self.resume_batch().await?.first().copied())
    }

    /// Asks again for the receipts of generations that got no answer; none when there are none
    /// such. What was sent to a paywall is asked for with [`PayerSession::fetch`] again.
    ///
    /// # Errors
    /// As [`PayerSession::generate`].
    pub async fn resume_batch(&mut self) -> Result<Vec<SignedReceipt>, GatewayError> {
        if self.unanswered.is_none() {
            return Ok(Vec::new());
        }
        self.resume_signed().await
    }

    /// Whether a generation was signed for and got no answer yet.
    pub fn is_unanswered(&self) -> bool {
        self.unanswered.is_some()
    }

    /// What this session has spent, base units, fees included.
    pub fn spent(&self) -> Result<u64, GatewayError> {
        Ok(self.cumulative()?.saturating_sub(self.began_at))
    }

    /// The total of the newest receipt: prices and fees since the channel opened, base units.
    ///
    /// # Errors
    /// [`GatewayError::Overflow`].
    pub fn cumulative(&self) -> Result<u64, GatewayError> {
        self.cumulative_with(self.prices)
    }

    /// The statement that the next generation is part of.
    pub fn statement(&self) -> u64 {
        self.number
    }

    /// The gateway this session pays through.
    pub fn gateway(&self) -> &GatewayClient {
        &self.gateway
    }

    /// The channel this session pays from.
    pub fn channel(&self) -> Pubkey {
        self.address
    }

    /// Takes over licenses and deposits that the chain has gained since the session began.
    ///
    /// # Errors
    /// [`GatewayError::Untrusted`] when `account` is another incarnation of the channel.
    pub async fn refresh(&mut self, account: &ChannelAccount) -> Result<(), GatewayError> {
        if account.channel.opened_slot != self.channel.opened_slot {
            return Err(GatewayError::Untrusted("the channel was opened again".into()));
        }
        self.channel.deposited = account.channel.deposited;
        self.channel.upfront_fees = account.channel.upfront_fees;
        let known = self.licenses.len().min(account.licenses.len());
        self.licenses.extend_from_slice(&account.licenses[known..]);
        self.gateway.open_channel(&self.address).await.map(|_| ())
    }

    /// Signs a voucher that covers these generations, and keeps them until they are answered.
    fn sign(
        &mut self,
        way: Way,
        key: IdempotencyKey,
        generations: Vec<BatchedGeneration>,
    ) -> Result<(), GatewayError> {
        let next = self.step(&generations)?;
        let spent = next.cumulative.saturating_sub(self.began_at);
        if let Some(budget) = self.policy.budget.filter(|budget| spent > *budget) {
            return Err(GatewayError::OverBudget { total: spent, budget });
        }
        let voucher = Voucher {
            cluster: self.channel.cluster,
            channel: self.address,
            opened_slot: self.channel.opened_slot,
            statement: self.number,
            cumulative: next.cumulative,
            statement_digest: next.statement.digest(),
            expires_at: now().saturating_add(i64::from(self.policy.voucher_seconds)),
        };
        let voucher = VoucherParts::from(&SignedVoucher::sign(voucher, &self.key));
        self.unanswered = Some(Unanswered { key, way, voucher, generations, next });
        Ok(())
    }

    /// Sends what was signed, checks the receipts, and only then counts them.
    async fn resume_signed(&mut self) -> Result<Vec<SignedReceipt>, GatewayError> {
        let Some(unanswered) = &self.unanswered else { return Err(GatewayError::Unanswered) };
        let parts = match self.send(unanswered).await {
            Ok(parts) => parts,
            Err(error) => {
                // A refusal is an answer, except where the gateway cannot say what it did.
                let refused = matches!(&error, GatewayError::Refused(p) if p.status < 500);
                if refused {
                    self.unanswered = None;
                }
                return Err(error);
            }
        };
        let receipts = self.check(unanswered, &parts)?;
        let next = unanswered.next.clone();
        self.count(next)?;
        Ok(receipts)
    }

    /// What was signed for was taken.
    fn count(&mut self, next: Step) -> Result<(), GatewayError> {
        let price = next.prices.iter().try_fold(0_u64, |sum, price| sum.checked_add(*price));
        let prices = price.and_then(|price| self.prices.checked_add(price));
        self.prices = prices.ok_or(GatewayError::Overflow)?;
        self.statement = next.statement;
        self.unanswered = None;
        Ok(())
    }

    async fn send(&self, unanswered: &Unanswered) -> Result<Vec<ReceiptParts>, GatewayError> {
        let Unanswered { key, way, voucher, generations, .. } = unanswered;
        let one = || {
            let one = generations.first().ok_or(GatewayError::Unanswered)?;
            Ok::<_, GatewayError>(GenerationRequest {
                voucher: *voucher,
                license: one.license,
                units: one.units,
                request_digest: one.request_digest,
                output_digest: one.output_digest,
            })
        };
        match way {
            Way::One => Ok(vec![self.gateway.generate(&self.address, key, &one()?).await?]),
            Way::Captured(hold) => Ok(vec![self.gateway.capture(hold, &one()?).await?]),
            // What was paid for there comes with its receipt: it is fetched again.
            Way::Paywall => Err(GatewayError::Unanswered),
            Way::Batch => {
                let generations = generations.clone();
                let request = BatchRequest { voucher: *voucher, generations };
                Ok(self.gateway.generate_batch(&self.address, key, &request).await?.receipts)
            }
        }
    }

    /// What the open statement becomes with these units, by the code that the chain runs.
    fn step(&self, generations: &[BatchedGeneration]) -> Result<Step, GatewayError> {
        let mut statement = self.statement.clone();
        let (mut prices, mut total) = (Vec::with_capacity(generations.len()), self.prices);
        for one in generations {
            let present = statement.entries().find(|entry| entry.license == one.license);
            let present = present.map_or(0, |entry| entry.units);
            statement.add(one.license, one.units)?;
            let base = self.licenses.get(usize::from(one.license));
            let base = *base.ok_or(GatewayError::LicenseNotFound(one.license))?;
            let with = price(base, one.license, present + one.units)?;
            let more = with - price(base, one.license, present)?;
            total = total.checked_add(more).ok_or(GatewayError::Overflow)?;
            prices.push(more);
        }
        Ok(Step { statement, prices, cumulative: self.cumulative_with(total)? })
    }

    /// Receipts are good for exactly what was asked, in its order, or for nothing.
    fn check(
        &self,
        unanswered: &Unanswered,
        parts: &[ReceiptParts],
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        let Unanswered { generations, next, .. } = unanswered;
        if parts.len() != generations.len() {
            return Err(GatewayError::Untrusted("there are not as many receipts as asked".into()));
        }
        let mut receipts: Vec<SignedReceipt> = Vec::with_capacity(parts.len());
        for ((one, price), parts) in generations.iter().zip(&next.prices).zip(parts) {
            let signed = self.check_one(one, *price, next.cumulative, parts)?;
            let follows = receipts.last().is_none_or(|last| {
                last.receipt.position.checked_add(1) == Some(signed.receipt.position)
            });
            if !follows {
                return Err(GatewayError::Untrusted("the receipts are not in a row".into()));
            }
            receipts.push(signed);
        }
        Ok(receipts)
    }

    fn check_one(
        &self,
        request: &BatchedGeneration,
        price: u64,
        cumulative: u64,
        parts: &ReceiptParts,
    ) -> Result<SignedReceipt, GatewayError> {
        let signed = SignedReceipt::from(parts);
        let receipt = &signed.receipt;
        let (asked, made) = (&request.request_digest.0, &request.output_digest.0);
        let as_asked = self.is_for(receipt, request.license, asked, made)?
            && receipt.statement == self.number
            && receipt.units == request.units
            && receipt.amount == price
            && receipt.cumulative == cumulative;
        if !as_asked {
            return Err(GatewayError::Untrusted("the receipt is not for what was asked".into()));
        }
        if !signed.verifies(&self.channel.operator) {
            return Err(GatewayError::Untrusted("the operator did not sign the receipt".into()));
        }
        Ok(signed)
    }

    /// Whether a receipt is one of this channel's, under this license's terms, for this request and
    /// output. What it says of units, prices and place is another matter.
    fn is_for(
        &self,
        receipt: &Receipt,
        license: u16,
        request_digest: &[u8; 32],
        output_digest: &[u8; 32],
    ) -> Result<bool, GatewayError> {
        let known = self.licenses.get(usize::from(license));
        let known = known.ok_or(GatewayError::LicenseNotFound(license))?;
        Ok(receipt.channel == self.address
            && receipt.opened_slot == self.channel.opened_slot
            && receipt.license == license
            && receipt.work == known.work
            && receipt.terms_number == known.terms_number
            && receipt.request_digest == *request_digest
            && receipt.output_digest == *output_digest)
    }

    /// Moves on to the statement after the open one, if the gateway's picture of the total is
    /// this session's own.
    fn follow_cut(&mut self, expected: &ExpectedStatement) -> Result<(), GatewayError> {
        let own = self.cumulative()?;
        let follows = expected.statement == self.number + 1
            && expected.cumulative.0 == own
            && expected.entries.is_empty();
        if !follows {
            return Err(GatewayError::Untrusted(format!(
                "it goes on with statement {} at {}, and by this session's own totals that \
                 should be {} at {own}",
                expected.statement,
                expected.cumulative,
                self.number + 1,
            )));
        }
        self.cut();
        Ok(())
    }

    /// The open statement ends; the licenses go on from what it leaves.
    fn cut(&mut self) {
        for entry in self.statement.entries() {
            if let Some(license) = self.licenses.get_mut(usize::from(entry.license)) {
                // It was charged on a copy when it was signed for, so it is allowed here.
                let _ = license.charge(entry.units, now());
            }
        }
        self.number += 1;
        self.earlier_prices = self.earlier_prices.saturating_add(self.prices);
        self.statement = Statement::default();
        self.prices = 0;
    }

    /// Takes over a statement that an earlier session signed, if this key did sign it.
    fn take_over(&mut self, state: &StatementState) -> Result<(), GatewayError> {
        let refuse = |what: &str| {
            let number = state.statement;
            GatewayError::Untrusted(format!("its statement {number} {what}"))
        };
        let parts = state.voucher.as_ref().ok_or_else(|| refuse("has no voucher"))?;
        let signed = parts.signed_by(self.channel.voucher_key);
        let entries = state.entries.iter().map(|entry| (entry.license, entry.units));
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
        let mut prices: u64 = 0;
        for entry in statement.entries() {
            let base = self.licenses.get(usize::from(entry.license));
            let base = *base.ok_or(GatewayError::LicenseNotFound(entry.license))?;
            let price = price(base, entry.license, entry.units)?;
            prices = prices.checked_add(price).ok_or(GatewayError::Overflow)?;
        }
        if self.cumulative_with(prices)? != signed.voucher.cumulative {
            return Err(refuse("does not add up to its voucher"));
        }
        (self.statement, self.prices) = (statement, prices);
        Ok(())
    }

    fn cumulative_with(&self, prices: u64) -> Result<u64, GatewayError> {
        let total = self.earlier_prices.checked_add(prices).ok_or(GatewayError::Overflow)?;
        let fees = floor_share(total, self.channel.operator_fee_bps);
        total.checked_add(fees).ok_or(GatewayError::Overflow)
    }
}

/// What so many units cost now, by the code that the chain runs.
fn price(mut license: License, index: u16, units: u32) -> Result<u64, GatewayError> {
    if units == 0 {
        return Ok(0);
    }
    license.charge(units, now()).map_err(|error| {
        let reason = error.to_string();
        GatewayError::LicenseRefuses { license: index, reason }
    })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}
