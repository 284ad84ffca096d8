mod held;
mod paid;
mod signer;
mod streamed;

use crate::{
    channel::{Channel, License},
    operator::ReceiptKeys,
};
use motif_interface::bps::floor_share;
use solana_pubkey::Pubkey;

use super::{
    ChannelReader, GatewayClient, GatewayError, IdempotencyKey, PayerAction, PayerRequest,
    ProblemType,
    error::untrusted,
    request::now,
    wire::{
        BatchRequest, BatchedGeneration, Digest, ExpectedStatement, GenerationRequest, PayerProof,
        ReceiptParts, StatementState,
    },
};
use crate::{
    channel::ChannelAccount,
    receipt::{Receipt, SignedReceipt},
    voucher::{SignedVoucher, Statement, Voucher},
};

pub use held::HeldGeneration;
pub use paid::PaidAnswer;
pub use signer::VoucherSigner;
pub use streamed::{PaidPart, PaidStream};

/// Limits of a payer session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Maximum spending of the session, base units, fees included; `None` for the channel's whole
    /// deposit.
    pub budget: Option<u64>,
    /// Validity of vouchers, seconds.
    pub voucher_seconds: u32,
}

impl Default for SessionPolicy {
    /// The whole deposit; vouchers valid for a day.
    fn default() -> Self {
        Self { budget: None, voucher_seconds: 86_400 }
    }
}

/// Payer side of a channel: statement, totals and budget.
///
/// The session starts from the on-chain channel and continues with what it signs. From the gateway
/// it accepts only receipts that it verifies and vouchers that its key has signed.
pub struct PayerSession {
    gateway: GatewayClient,
    address: Pubkey,
    channel: Channel,
    receipt_keys: ReceiptKeys,
    /// State before the open statement.
    licenses: Vec<License>,
    signer: VoucherSigner,
    policy: SessionPolicy,
    number: u64,
    /// Sum of prices before the open statement.
    earlier_prices: u64,
    statement: Statement,
    /// Sum of the open statement's prices.
    prices: u64,
    /// Total at the start of the session.
    began_at: u64,
    unanswered: Option<Unanswered>,
}

/// Signed generations whose outcome is unknown.
struct Unanswered {
    key: IdempotencyKey,
    way: Way,
    voucher: SignedVoucher,
    generations: Vec<BatchedGeneration>,
    next: Step,
}

/// Endpoint that generations are paid through.
#[derive(Clone, Copy)]
enum Way {
    One,
    Batch,
    Captured([u8; 32]),
    /// Paywall, which returns the answer.
    Paywall,
}

/// State after a batch of generations.
#[derive(Clone)]
struct Step {
    statement: Statement,
    prices: Vec<u64>,
    cumulative: u64,
}

impl PayerSession {
    /// Keys that sign the receipts of the channel's operator, read from its account on chain.
    /// Default: the operator's authority signs them.
    #[must_use]
    pub fn receipt_keys(self, receipt_keys: ReceiptKeys) -> Self {
        Self { receipt_keys, ..self }
    }

    /// Starts a session on a channel, with the channel's voucher key.
    ///
    /// `account` must be read from the chain, not from the gateway. Unsettled statements of earlier
    /// sessions are resumed from the gateway if their vouchers are signed by the key.
    ///
    /// # Errors
    /// [`GatewayError::Untrusted`] if the gateway claims a statement that the key did not sign;
    /// otherwise as [`GatewayClient::operator`].
    pub async fn begin(
        gateway: GatewayClient,
        address: Pubkey,
        account: &ChannelAccount,
        signer: impl Into<VoucherSigner>,
        policy: SessionPolicy,
    ) -> Result<Self, GatewayError> {
        let signer = signer.into();
        if account.channel.voucher_key != signer.pubkey() {
            return Err(GatewayError::Untrusted("the channel has another voucher key".into()));
        }
        let reader = ChannelReader::new(address, &account.channel, signer.clone());
        let gateway = gateway.reader(reader);
        let state = gateway.open_channel(&address).await?;
        let mut session = Self {
            gateway,
            address,
            channel: account.channel,
            receipt_keys: ReceiptKeys::sole(account.channel.operator),
            licenses: account.licenses.clone(),
            signer,
            policy,
            number: account.channel.statements.length,
            earlier_prices: account.channel.prices,
            statement: Statement::default(),
            prices: 0,
            began_at: 0,
            unanswered: None,
        };
        for unsettled in &state.unsettled {
            // It may have settled since the gateway's last read.
            if unsettled.statement >= session.number {
                session.take_over(unsettled)?;
                session.cut();
            }
        }
        if state.open.statement != session.number {
            return Err(GatewayError::Untrusted(format!(
                "its open statement is {}: expected {}",
                state.open.statement, session.number
            )));
        }
        if state.open.voucher.is_some() {
            session.take_over(&state.open)?;
        }
        session.began_at = session.cumulative()?;
        Ok(session)
    }

    /// Pays for `units` of a license; returns the verified receipt: signed by the channel's
    /// operator, for this request and output, at the license's price.
    ///
    /// # Errors
    /// - [`GatewayError::OverBudget`], [`GatewayError::LicenseNotFound`],
    ///   [`GatewayError::LicenseRefuses`]: nothing was signed.
    /// - [`GatewayError::Refused`]: not accepted; the next voucher replaces the signed one.
    /// - [`GatewayError::Unreachable`], [`GatewayError::Untrusted`]: outcome unknown;
    ///   [`PayerSession::resume`] repeats the request and does not pay twice.
    /// - [`GatewayError::Unanswered`]: the outcome of an earlier generation is unknown.
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
            captures: None,
        };
        let receipts = self.pay(Way::One, vec![generation]).await?;
        receipts.first().copied().ok_or(GatewayError::Unanswered)
    }

    /// Pays for several generations with one voucher, all or none; returns their verified receipts
    /// in order. A blended generation is a batch with the same request and output under several
    /// licenses.
    ///
    /// # Errors
    /// As [`PayerSession::generate`].
    pub async fn generate_batch(
        &mut self,
        generations: Vec<BatchedGeneration>,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        self.pay(Way::Batch, generations).await
    }

    fn proof(&self, action: PayerAction) -> Result<PayerProof, GatewayError> {
        let request = PayerRequest::new(action, &self.address, &self.channel);
        Ok(PayerProof::from(&request.sign_with(&*self.signer)?))
    }

    /// Signs and sends, and signs again if the gateway has closed the statement.
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
                let expected = problem.expected.as_ref().ok_or_else(|| {
                    untrusted("it closed a statement without naming the next one")
                })?;
                self.follow_cut(expected)?;
                self.sign(way, IdempotencyKey::random(), generations)?;
                self.resume_signed().await
            }
            answered => answered,
        }
    }

    /// Repeats an unanswered generation, or batch; returns its first receipt, or `None` if there is
    /// none.
    ///
    /// # Errors
    /// As [`PayerSession::generate`].
    pub async fn resume(&mut self) -> Result<Option<SignedReceipt>, GatewayError> {
        Ok(self.resume_batch().await?.first().copied())
    }

    /// Repeats unanswered generations; returns their receipts. Repeat requests to a paywall with
    /// [`PayerSession::fetch`].
    ///
    /// # Errors
    /// As [`PayerSession::generate`].
    pub async fn resume_batch(&mut self) -> Result<Vec<SignedReceipt>, GatewayError> {
        if self.unanswered.is_none() {
            return Ok(Vec::new());
        }
        self.resume_signed().await
    }

    /// Whether the outcome of a generation is unknown.
    pub fn is_unanswered(&self) -> bool {
        self.unanswered.is_some()
    }

    /// Returns the spending of this session, base units, fees included.
    pub fn spent(&self) -> Result<u64, GatewayError> {
        Ok(self.cumulative()?.saturating_sub(self.began_at))
    }

    /// Returns the total of the newest receipt: prices and fees since the channel opened, base
    /// units.
    ///
    /// # Errors
    /// [`GatewayError::Overflow`].
    pub fn cumulative(&self) -> Result<u64, GatewayError> {
        self.cumulative_with(self.prices)
    }

    /// Returns the number of the next generation's statement.
    pub fn statement(&self) -> u64 {
        self.number
    }

    /// Returns the client of the gateway.
    pub fn gateway(&self) -> &GatewayClient {
        &self.gateway
    }

    /// Returns the address of the channel.
    pub fn channel(&self) -> Pubkey {
        self.address
    }

    /// Adds licenses and deposits that are new on chain.
    ///
    /// # Errors
    /// [`GatewayError::Untrusted`] if the channel was closed and opened again.
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

    /// Signs a voucher that covers the generations and stores them until they are answered.
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
        let voucher = self.signer.sign(voucher)?;
        self.unanswered = Some(Unanswered { key, way, voucher, generations, next });
        Ok(())
    }

    /// Sends the signed generations, verifies the receipts, and then counts them.
    async fn resume_signed(&mut self) -> Result<Vec<SignedReceipt>, GatewayError> {
        let Some(unanswered) = &self.unanswered else { return Err(GatewayError::Unanswered) };
        let parts = match self.send(unanswered).await {
            Ok(parts) => parts,
            Err(error) => {
                // A server error leaves the outcome unknown.
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

    /// Counts accepted generations.
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
            // A paywall returns the receipt with the answer, by a repeated fetch.
            Way::Paywall => Err(GatewayError::Unanswered),
            Way::Batch => {
                let generations = generations.clone();
                let request = BatchRequest { voucher: *voucher, generations };
                Ok(self.gateway.generate_batch(&self.address, key, &request).await?.receipts)
            }
        }
    }

    /// Computes the open statement with the generations, with the program's code.
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

    /// Verifies that the receipts are for the generations, in order.
    fn check(
        &self,
        unanswered: &Unanswered,
        parts: &[ReceiptParts],
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        let Unanswered { generations, next, .. } = unanswered;
        if parts.len() != generations.len() {
            return Err(GatewayError::Untrusted(
                "the number of receipts differs from the number of generations".into(),
            ));
        }
        let mut receipts: Vec<SignedReceipt> = Vec::with_capacity(parts.len());
        for ((one, price), parts) in generations.iter().zip(&next.prices).zip(parts) {
            let signed = self.check_one(one, *price, next.cumulative, parts)?;
            let follows = receipts.last().is_none_or(|last| {
                last.receipt.position.checked_add(1) == Some(signed.receipt.position)
            });
            if !follows {
                return Err(GatewayError::Untrusted("the receipts are not consecutive".into()));
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
            return Err(GatewayError::Untrusted("the receipt is for another request".into()));
        }
        if !signed.verifies_with(&self.receipt_keys) {
            return Err(GatewayError::Untrusted("the operator did not sign the receipt".into()));
        }
        Ok(signed)
    }

    /// Whether a receipt is for this channel, license, request and output. Does not check units,
    /// prices and position.
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

    /// Moves to the next statement if the gateway's total equals this session's.
    fn follow_cut(&mut self, expected: &ExpectedStatement) -> Result<(), GatewayError> {
        let own = self.cumulative()?;
        let follows = expected.statement == self.number + 1
            && expected.cumulative.0 == own
            && expected.entries.is_empty();
        if !follows {
            return Err(GatewayError::Untrusted(format!(
                "it continues with statement {} at {}: expected {} at {own}, by this session's \
                 totals",
                expected.statement,
                expected.cumulative,
                self.number + 1,
            )));
        }
        self.cut();
        Ok(())
    }

    /// Closes the open statement and applies it to the licenses.
    fn cut(&mut self) {
        for entry in self.statement.entries() {
            if let Some(license) = self.licenses.get_mut(usize::from(entry.license)) {
                // The same charge succeeded on a copy before signing.
                let _ = license.charge(entry.units, now());
            }
        }
        self.number += 1;
        self.earlier_prices = self.earlier_prices.saturating_add(self.prices);
        self.statement = Statement::default();
        self.prices = 0;
    }

    /// Resumes a statement of an earlier session if this key signed it.
    fn take_over(&mut self, state: &StatementState) -> Result<(), GatewayError> {
        let refuse = |what: &str| {
            let number = state.statement;
            GatewayError::Untrusted(format!("its statement {number} {what}"))
        };
        let voucher = state.voucher.as_ref().ok_or_else(|| refuse("has no voucher"))?;
        let signed = SignedVoucher { key: self.channel.voucher_key, ..*voucher };
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

/// Returns the present price of `units`, with the program's code.
fn price(mut license: License, index: u16, units: u32) -> Result<u64, GatewayError> {
    if units == 0 {
        return Ok(0);
    }
    license.charge(units, now()).map(|charge| charge.price).map_err(|error| {
        let reason = error.to_string();
        GatewayError::LicenseRefuses { license: index, reason }
    })
}
