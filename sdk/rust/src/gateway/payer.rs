mod answer;
mod driver;
mod hold;
mod inbox;
mod options;
mod state_file;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use motif_payer::{Effect, KeptReceipt, Machine, now};
use solana_pubkey::Pubkey;

use super::{
    ChannelReader, GatewayClient, GatewayError, PayerAction, PayerRequest, ProblemType,
    VoucherSigner,
    wire::{BatchedGeneration, PayerProof},
};
use crate::{
    channel::{ChannelAccount, License},
    operator::ReceiptKeys,
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};

pub use answer::PaidAnswer;
pub use hold::HeldGeneration;
pub use options::PayerOptions;
pub use stream::{PaidPart, PaidStream};

use driver::Driver;
use state_file::StateFile;

/// Payer side of a channel, for any number of tasks. Clones share it.
///
/// While one request is under way, payments gather; they leave together with one voucher. A payment that
/// is refused fails alone. The payer keeps its own totals, starts from the on-chain channel, and accepts
/// from the gateway only receipts that it verifies and vouchers that its key has signed.
///
/// With a state file ([`PayerOptions::state`]) it continues after the end of its process: what was signed is
/// on disk before it is sent. A batch without an answer is repeated with the same key and bytes, before
/// anything else is signed, and so is never paid twice.
///
/// Its methods run in a Tokio runtime. Dropping a method's future does not undo a payment: its receipt is
/// kept in the state file.
#[derive(Clone)]
pub struct Payer {
    driver: Arc<Driver>,
    tag: Option<Arc<str>>,
}

/// Receipts of a payment, and the voucher that paid.
pub(super) struct Paid {
    pub receipts: Vec<SignedReceipt>,
    pub voucher: SignedVoucher,
}

impl Payer {
    /// Opens the payer of a channel, with the channel's voucher key.
    ///
    /// `account` must be read from the chain, not from the gateway. Unsettled statements of other
    /// processes are resumed from the gateway if their vouchers are signed by the key. Vouchers that the
    /// gateway has lost are offered to it again, if the state file has their generations.
    ///
    /// # Errors
    /// - [`GatewayError::StateLocked`] if another process has the state file.
    /// - [`GatewayError::StateFailed`], [`GatewayError::StateInvalid`] if it cannot be used.
    /// - [`GatewayError::Untrusted`] if the gateway claims a statement that the key did not sign;
    ///   otherwise as [`GatewayClient::operator`].
    pub async fn open(
        gateway: GatewayClient,
        address: Pubkey,
        account: &ChannelAccount,
        signer: impl Into<VoucherSigner>,
        options: PayerOptions,
    ) -> Result<Self, GatewayError> {
        let signer = signer.into();
        if account.channel.voucher_key != signer.pubkey() {
            return Err(GatewayError::Untrusted("the channel has another voucher key".into()));
        }
        let PayerOptions { policy, state, receipt_keys } = options;
        let sole = || ReceiptKeys::sole(account.channel.operator);
        let keys = receipt_keys.unwrap_or_else(sole);
        let mut file = match state.as_deref() {
            Some(path) => Some(StateFile::open_patiently(path).await?),
            None => None,
        };
        let saved = file.as_mut().map(StateFile::read).transpose()?;
        let loaded = match &saved {
            Some(saved) => Machine::load(address, account, keys.clone(), policy.clone(), saved)
                .map_err(|error| GatewayError::state_invalid(state.as_deref(), error))?,
            None => None,
        };
        let fresh = || Machine::new(address, account, keys, policy, state.is_some());
        let machine = loaded.unwrap_or_else(fresh);
        let reader = ChannelReader::new(address, &account.channel, signer.clone());
        let gateway = gateway.reader(reader);
        let driver = Driver::new(gateway, address, signer, machine, file);
        let payer = Self { driver: Arc::new(driver), tag: None };
        let state = payer.gateway().open_channel(&address).await?;
        payer.machine().compare(&state)?;
        payer.driver.rewrite_state().await?;
        if payer.machine().is_unanswered() || payer.machine().waiting() > 0 {
            payer.driver.settle_doubts().await?;
            let state = payer.gateway().channel(&address).await?;
            payer.machine().compare(&state)?;
            payer.driver.rewrite_state().await?;
        }
        Ok(payer)
    }

    /// Returns a handle whose payments carry a tag, such as a caller's name: the tag is kept with each
    /// receipt, and can have a [budget](motif_payer::PayerPolicy::tag_budgets_per_day).
    #[must_use]
    pub fn tagged(&self, tag: &str) -> Self {
        Self { driver: self.driver.clone(), tag: Some(tag.into()) }
    }

    /// Pays for `units` of a license; returns the verified receipt: signed by the channel's operator,
    /// for this request and output, at the license's price.
    ///
    /// # Errors
    /// - [`GatewayError::OverBudget`], [`GatewayError::PriceTooHigh`],
    ///   [`GatewayError::LicenseNotFound`], [`GatewayError::LicenseRefuses`]: nothing was signed.
    /// - [`GatewayError::Refused`]: not accepted; the next voucher replaces the signed one.
    /// - [`GatewayError::Unreachable`], [`GatewayError::Untrusted`], [`GatewayError::OutcomeUnknown`],
    ///   [`GatewayError::StateFailed`]: the outcome is unknown. The next payment, or [`Payer::resume`], repeats the request first and does not pay twice.
    /// - [`GatewayError::Unanswered`]: an earlier payment is still unanswered; nothing was signed.
    pub async fn generate(
        &self,
        license: u16,
        units: u32,
        request_digest: [u8; 32],
        output_digest: [u8; 32],
    ) -> Result<SignedReceipt, GatewayError> {
        let one = BatchedGeneration::new(license, units, request_digest, output_digest);
        Ok(self.pay_one(one).await?.0)
    }

    /// Pays for several generations with one voucher, all or none; returns their verified receipts
    /// in order. A blended generation is a batch with the same request and output under several
    /// licenses.
    ///
    /// # Errors
    /// As [`Payer::generate`].
    pub async fn generate_batch(
        &self,
        generations: Vec<BatchedGeneration>,
    ) -> Result<Vec<SignedReceipt>, GatewayError> {
        Ok(self.pay(generations).await?.receipts)
    }

    /// Pays for one generation; returns its receipt and the voucher.
    async fn pay_one(
        &self,
        generation: BatchedGeneration,
    ) -> Result<(SignedReceipt, SignedVoucher), GatewayError> {
        let Paid { receipts, voucher } = self.pay(vec![generation]).await?;
        let receipt = receipts.first().copied().ok_or(GatewayError::Unanswered)?;
        Ok((receipt, voucher))
    }

    /// Pays for generations, all or none.
    async fn pay(&self, generations: Vec<BatchedGeneration>) -> Result<Paid, GatewayError> {
        let tag = self.tag.as_deref().map(str::to_owned);
        self.driver.pay(generations, tag).await
    }

    /// Checks that the policy allows a unit of a license now.
    fn check(&self, license: u16) -> Result<(), GatewayError> {
        Ok(self.machine().check(license, 1, self.tag.as_deref(), now())?)
    }

    /// Repeats an unanswered batch, and offers again what the gateway has lost; returns the receipts of
    /// payments whose callers had stopped waiting, the last batch's only.
    ///
    /// # Errors
    /// As [`Payer::generate`].
    pub async fn resume(&self) -> Result<Vec<SignedReceipt>, GatewayError> {
        if self.machine().is_unanswered() {
            self.driver.settle_doubts().await?;
        }
        Ok(self.driver.take_recovered())
    }

    /// Whether the outcome of a batch is unknown.
    pub fn is_unanswered(&self) -> bool {
        self.machine().is_unanswered()
    }

    /// Returns whether a refusal shows that another process pays on the channel with the same voucher key. All
    /// later payments of this payer are refused, too.
    pub fn is_overtaken(&self, refusal: &GatewayError) -> bool {
        let GatewayError::Refused(problem) = refusal else { return false };
        let is_of_totals = matches!(
            problem.problem_type(),
            Some(
                ProblemType::VoucherNotNewer
                    | ProblemType::WrongPrice
                    | ProblemType::StatementMismatch
            )
        );
        let expected = problem.expected.as_ref().filter(|_| is_of_totals);
        expected.is_some_and(|expected| self.machine().is_overtaken(expected))
    }

    /// Returns the spending since the payer was opened, or since its state file was created, base units,
    /// fees included.
    pub fn spent(&self) -> u64 {
        self.machine().spent()
    }

    /// Returns the spending of a UTC day, base units, fees included; of all tags without `tag`. `day` is
    /// the number of days since 1970. The state file has the last 40 days.
    pub fn spent_on(&self, day: i64, tag: Option<&str>) -> u64 {
        self.machine().spent_on(day, tag)
    }

    /// Returns the spending of a UTC day with the payments whose outcome is unknown and that no caller awaits
    /// any more, base units, fees included; of all tags without `tag`.
    pub fn committed_on(&self, day: i64, tag: Option<&str>) -> u64 {
        self.machine().committed_on(day, tag)
    }

    /// Returns the total of the newest receipt: prices and fees since the channel opened, base
    /// units.
    ///
    /// # Errors
    /// [`GatewayError::Overflow`].
    pub fn cumulative(&self) -> Result<u64, GatewayError> {
        Ok(self.machine().cumulative()?)
    }

    /// Returns the part of the deposit that is neither owed nor signed, base units.
    ///
    /// # Errors
    /// [`GatewayError::Overflow`].
    pub fn available(&self) -> Result<u64, GatewayError> {
        Ok(self.machine().available()?)
    }

    /// Returns the number of the next generation's statement.
    pub fn statement(&self) -> u64 {
        self.machine().statement()
    }

    /// Returns a license of the channel.
    pub fn license(&self, index: u16) -> Option<License> {
        self.machine().license(index)
    }

    /// Returns the maximum cost of units of a license, base units, fees included.
    pub fn most_cost(&self, license: &License, units: u32) -> u64 {
        self.machine().most_cost(license, units)
    }

    /// Returns the client of the gateway.
    pub fn gateway(&self) -> &GatewayClient {
        self.driver.gateway()
    }

    /// Returns the address of the channel.
    pub fn channel(&self) -> Pubkey {
        self.driver.address()
    }

    /// Returns the receipts in the state file that were not exported, oldest first; none without a
    /// state file.
    pub fn receipts(&self) -> Vec<KeptReceipt> {
        self.machine().receipts().to_vec()
    }

    /// Forgets exported receipts up to this number, durably.
    ///
    /// # Errors
    /// [`GatewayError::StateFailed`].
    pub async fn forget_receipts(&self, through: u64) -> Result<(), GatewayError> {
        self.driver.change_state(|machine| machine.forget_receipts(through)).await
    }

    /// Adds licenses and deposits that are new on chain, and drops what has settled.
    ///
    /// # Errors
    /// [`GatewayError::Untrusted`] if the channel was closed and opened again; otherwise as
    /// [`GatewayClient::operator`].
    pub async fn refresh(&self, account: &ChannelAccount) -> Result<(), GatewayError> {
        self.machine().refresh(account)?;
        self.gateway().open_channel(&self.channel()).await.map(|_| ())
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.driver.machine()
    }

    fn proof(&self, action: PayerAction) -> Result<PayerProof, GatewayError> {
        let request = PayerRequest::new(action, &self.channel(), self.machine().channel());
        Ok(PayerProof::from(&self.driver.signer().sign_request(request)?))
    }
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Payer");
        shown.field("channel", &self.channel()).field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// Locks a mutex whose data no panic leaves half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the frames of effects that only save, and whether they must be durable.
fn frames(effects: Vec<Effect>) -> Vec<(Vec<u8>, bool)> {
    let saved = effects.into_iter().filter_map(|effect| match effect {
        Effect::Save { frame, is_urgent } => Some((frame, is_urgent)),
        _ => None,
    });
    saved.collect()
}
