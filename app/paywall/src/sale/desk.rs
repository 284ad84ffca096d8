use async_trait::async_trait;
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    gateway::wire::{Use, sale::SaleState},
    pda,
    till::TillShares,
};

use super::{check::ExpectedPayment, config::SaleConfig, transaction::ClientTransaction};
use crate::engine::{AnswerId, EngineResult};

/// Identifier of a payment: [`ClientTransaction::id`].
pub type PaymentId = [u8; 32];

/// What a paywall needs of the service that settles payments to tills.
#[async_trait]
pub trait SaleDesk: Send + Sync {
    /// Returns the configuration.
    fn config(&self) -> &SaleConfig;

    /// Returns the authority of the operator that sells.
    fn seller(&self) -> Pubkey;

    /// Returns a message authentication code of a text, which other processes of the seller confirm.
    fn mac(&self, text: &str) -> [u8; 32];

    /// Returns how units of a work's use are sold now, or `None` if they are not: by the terms, by
    /// the configuration, because the till is not open, or because the fee payer has reached a limit.
    async fn item(
        &self,
        work: Pubkey,
        licensed_use: Use,
        units: u32,
    ) -> EngineResult<Option<SaleItem>>;

    /// Returns a recent blockhash, base58, and the last block height at which it is valid.
    async fn blockhash(&self) -> EngineResult<(String, u64)>;

    /// Returns a payment that was sent.
    async fn find(&self, payment: &PaymentId) -> EngineResult<Option<SaleRecord>>;

    /// Returns a wallet's payments for a request under a name, oldest first.
    async fn of_request(
        &self,
        wallet: &Pubkey,
        request_digest: &[u8; 32],
        name: &str,
    ) -> EngineResult<Vec<SaleRecord>>;

    /// Returns a wallet's payments that have landed, whose request the model server refused and that have
    /// no answer, oldest first.
    async fn refused(&self, wallet: &Pubkey) -> EngineResult<Vec<SaleRecord>>;

    /// Returns whether a wallet gave a name to a payment for another request.
    async fn is_name_taken(
        &self,
        wallet: &Pubkey,
        request_digest: &[u8; 32],
        name: &str,
    ) -> EngineResult<bool>;

    /// Returns the payments that may still land.
    async fn pending(&self) -> EngineResult<Vec<SaleRecord>>;

    /// Simulates a transaction without its fee payer's signature. Returns the reason if it fails.
    async fn simulate(&self, transaction: &ClientTransaction) -> EngineResult<Result<(), String>>;

    /// Signs a payment as the fee payer, stores it durably, and sends it. Idempotent.
    async fn submit(&self, sale: NewSale) -> EngineResult<SaleRecord>;

    /// Waits until a payment has ended, and returns it. The caller limits the time.
    async fn outcome(&self, payment: &PaymentId) -> EngineResult<SaleRecord>;

    /// Records an event of a payment durably.
    async fn record(&self, payment: &PaymentId, event: SaleEvent) -> EngineResult<()>;

    /// Returns the key that signs receipts of the time `at`, unix seconds, and its signatures of
    /// messages.
    async fn sign(&self, messages: &[&[u8]], at: i64) -> EngineResult<(Pubkey, Vec<[u8; 64]>)>;
}

/// Units of a work's use as they are sold without a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleItem {
    /// Cluster tag.
    pub cluster: [u8; 32],
    /// Address of the till.
    pub till: Pubkey,
    /// Shares of the till: one work, and the operator if it takes a fee.
    pub shares: TillShares,
    /// Mint.
    pub mint: Pubkey,
    /// Program of the mint.
    pub token_program: Pubkey,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Licensed use.
    pub licensed_use: Use,
    /// Units.
    pub units: u32,
    /// Amount, base units.
    pub amount: u64,
    /// Number of the work's terms.
    pub terms_number: u32,
    /// Digest of the terms.
    pub terms_digest: [u8; 32],
    /// Key that pays the fee.
    pub fee_payer: Pubkey,
}

/// Payment that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleRecord {
    /// The payment.
    pub payment: PaymentId,
    /// Key that pays.
    pub wallet: Pubkey,
    /// SHA-256 of the request that is answered. The acceptance has that of the request that was paid for,
    /// which differs if the model server refused it.
    pub request_digest: [u8; 32],
    /// What the memo commits to.
    pub acceptance: SaleAcceptance,
    /// Shares of the till that is paid.
    pub shares: TillShares,
    /// Name of the stored answer.
    pub answer: AnswerId,
    /// URL of the process that made the answer; `None` for this one.
    pub holder: Option<String>,
    /// Signature of the transaction.
    pub signature: [u8; 64],
    /// State.
    pub state: SaleState,
    /// Unix seconds.
    pub sent_at: i64,
    /// Unix second of the end.
    pub ended_at: Option<i64>,
    /// SHA-256 of the answer; `None` before it is made.
    pub output_digest: Option<[u8; 32]>,
    /// Time of the first response with the whole answer, unix seconds.
    pub delivered_at: Option<i64>,
    /// Whether the model server refused the request of a payment that has landed.
    pub is_refused: bool,
}

/// Payment to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSale {
    /// Key that pays.
    pub wallet: Pubkey,
    /// The transaction without its fee payer's signature.
    pub transaction: ClientTransaction,
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
    /// Name that the buyer gave to the payment; empty without one.
    pub name: String,
    /// What the memo commits to.
    pub acceptance: SaleAcceptance,
    /// Shares of the till that is paid.
    pub shares: TillShares,
    /// Name of the stored answer.
    pub answer: AnswerId,
    /// SHA-256 of the answer; `None` before it is made.
    pub output_digest: Option<[u8; 32]>,
}

/// Event after a payment was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaleEvent {
    /// Its answer is made.
    Made {
        /// SHA-256 of the answer.
        output_digest: [u8; 32],
        /// SHA-256 of the request.
        request_digest: [u8; 32],
        /// Name that the buyer gave to the purchase; empty without one.
        name: String,
    },
    /// The model server refused its request.
    Refused,
    /// A response with the whole answer was sent.
    Delivered,
}

impl SaleItem {
    /// Returns the acceptance of a sale of this item.
    pub fn acceptance(
        &self,
        request_digest: [u8; 32],
        not_after: i64,
        nonce: u64,
    ) -> SaleAcceptance {
        SaleAcceptance {
            cluster: self.cluster,
            till: self.till,
            subject: self.shares.subject(),
            mint: self.mint,
            terms_number: self.terms_number,
            terms_digest: self.terms_digest,
            licensed_use: self.licensed_use,
            units: self.units,
            amount: self.amount,
            request_digest,
            operator: self.shares.operator,
            not_after,
            nonce,
        }
    }

    /// Returns the payment that an acceptance of this item requires.
    pub fn payment(&self, acceptance: &SaleAcceptance) -> ExpectedPayment {
        ExpectedPayment {
            fee_payer: self.fee_payer,
            tokens: pda::tokens(&acceptance.till, &self.mint, &self.token_program),
            mint: self.mint,
            token_program: self.token_program,
            amount: self.amount,
            memo: Some(acceptance.memo()),
        }
    }
}
