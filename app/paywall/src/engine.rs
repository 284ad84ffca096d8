use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use axum::response::Response;
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::{
        IdempotencyKey, PayerAction, ProblemType,
        wire::{
            Address, Amount, ExpectedStatement, GenerationRequest, HoldFacts, HoldRequest,
            PayerProof, Problem, Quote, Use,
        },
    },
    receipt::SignedReceipt,
};

/// Identifier of an answer: its hold, or [`motif_sdk::gateway::part_id`] for a later part of a
/// stream.
pub type AnswerId = [u8; 32];

/// Result of a call of a payment engine.
pub type EngineResult<T> = Result<T, Box<dyn EngineError>>;

/// Listener of released holds. It does not block.
pub type ReleaseListener = Box<dyn Fn(AnswerId) + Send + Sync>;

/// Returns whether a later part of a stream can be paid for now. It does not block.
pub type PartKeeper = Box<dyn Fn(AnswerId) -> bool + Send + Sync>;

/// What a paywall needs of the service that keeps channels and takes payment.
///
/// A hold reserves the price of an answer before it is generated. [`Caller::pay`] captures it.
#[async_trait]
pub trait PaymentEngine: Send + Sync {
    /// Returns the present time, unix seconds.
    fn now(&self) -> i64;

    /// Returns who sells: the operator that channels must name, and the cluster of vouchers.
    async fn seller(&self) -> EngineResult<Seller>;

    /// Returns the present price of a work's use.
    async fn quote(&self, work: Pubkey, licensed_use: Use) -> EngineResult<Quote>;

    /// Authenticates a caller by its API key, and checks that it may pay. `None` if the request
    /// has no API key.
    async fn authenticate(&self, api_key: Option<&str>) -> EngineResult<Arc<dyn Caller>>;

    /// Returns a license of a channel that this engine serves.
    async fn license(&self, channel: Pubkey, license: u16) -> EngineResult<ChannelLicense>;

    /// Returns a channel as recorded, whichever process serves it.
    async fn recorded_channel(&self, channel: Pubkey) -> EngineResult<Channel>;

    /// Verifies that the payer of a channel signed a request recently.
    fn verify_payer(
        &self,
        address: Pubkey,
        channel: &Channel,
        action: PayerAction,
        proof: &PayerProof,
    ) -> EngineResult<()>;

    /// Adds a hold on the payer's signed request. Idempotent by its key.
    async fn hold(
        &self,
        channel: Pubkey,
        key: &IdempotencyKey,
        request: &HoldRequest,
    ) -> EngineResult<HoldFacts>;

    /// Returns whether a hold is neither captured nor released, and has not expired.
    async fn is_held(&self, channel: Pubkey, hold: AnswerId) -> bool;

    /// Releases a hold whose answer failed. A captured hold stays captured.
    async fn release(&self, channel: Pubkey, hold: AnswerId);

    /// Adds a listener, which is called with each hold that is released, by its payer or by
    /// [`PaymentEngine::release`], before the release is acknowledged.
    fn on_release(&self, listener: ReleaseListener);

    /// Adds a keeper of streams' parts. A later part that no keeper has is not paid for: a payer that was
    /// stopped may send its voucher when the part is gone.
    fn keep_parts(&self, keeper: PartKeeper);

    /// Returns the payment due for these units under a license now.
    async fn amount_due(
        &self,
        channel: Pubkey,
        license: u16,
        units: u32,
    ) -> EngineResult<AmountDue>;

    /// Returns the receipt of an answer, or `None` if it is unpaid.
    async fn receipt(&self, answer: AnswerKey) -> EngineResult<Option<SignedReceipt>>;

    /// Counts an event, for metrics.
    fn count(&self, _event: AnswerEvent) {}
}

/// An authenticated caller. Payments count against its own budget, if it has one.
#[async_trait]
pub trait Caller: Send + Sync {
    /// Takes payment for an answer and returns its receipt once the voucher is durable. A whole
    /// answer and the first part of a stream capture the hold. Idempotent.
    async fn pay(
        &self,
        answer: AnswerKey,
        request: GenerationRequest,
    ) -> EngineResult<SignedReceipt>;
}

/// Answer, or part of a stream, that is paid for by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerKey {
    /// Channel that pays.
    pub channel: Pubkey,
    /// Identifier.
    pub id: AnswerId,
    /// Index in the stream; 0 for a whole answer.
    pub part: u32,
}

/// Seller of a paywall's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seller {
    /// Operator that a paying channel must name.
    pub operator: Address,
    /// Cluster tag of vouchers.
    pub cluster: [u8; 32],
}

/// License of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelLicense {
    /// Slot in which the channel was opened.
    pub opened_slot: u64,
    /// Licensed work.
    pub work: Address,
    /// Licensed use; `None` if this version does not know it.
    pub licensed_use: Option<Use>,
}

/// Payment due for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountDue {
    /// Price, base units, without the operator's fee.
    pub price: Amount,
    /// Open statement, and the total that the voucher needs.
    pub expected: ExpectedStatement,
}

/// Event in the life of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerEvent {
    /// The model server generated an answer and it is stored.
    Generated,
    /// A paid answer was sent.
    Delivered,
    /// A stored answer was changed on disk and is withheld.
    Damaged,
}

/// Error of a payment engine, with its HTTP form.
pub trait EngineError: Error + Send + Sync + 'static {
    /// Returns the type of the problem document.
    fn problem_type(&self) -> ProblemType;

    /// Returns the problem document.
    fn problem(&self) -> Problem;

    /// Returns whether a voucher was rejected although its payer's signature is valid, so that
    /// the answer may have been paid for earlier.
    fn is_rejected_voucher(&self) -> bool;

    /// Converts the error into a response.
    fn into_response(self: Box<Self>) -> Response;
}

impl<E: EngineError> From<E> for Box<dyn EngineError> {
    fn from(error: E) -> Self {
        Box::new(error)
    }
}
