//! Errors of a gateway, independent of HTTP.

use std::{error::Error as StdError, sync::Arc};

use motif_sdk::{
    Pubkey,
    gateway::wire::{ExpectedStatement, MetadataError},
};
use motif_signer::SignError;

use crate::{
    admission::RateLimited,
    chain::ChainError,
    keys::KeyError,
    ledger::LedgerError,
    store::{ProofError, StoreError},
    webhook_address::InvalidUrl,
};

/// Error returned when a gateway rejects a request.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Error returned when no work exists at an address.
    #[error("unknown work `{0}`")]
    UnknownWork(Pubkey),
    /// Error returned when a work has no published terms.
    #[error("work `{0}` has no published terms")]
    NoTerms(Pubkey),
    /// Error returned when a work's terms do not license a use.
    #[error("the latest terms of work `{work}` do not license `{licensed_use}`")]
    UseNotLicensed {
        /// Address of the work.
        work: Pubkey,
        /// Requested use.
        licensed_use: String,
    },
    /// Error returned when a license requires an approval of the work's owner.
    #[error(
        "the terms of work `{0}` require its owner's approval: ask for one, then accept them in the studio"
    )]
    ApprovalRequired(Pubkey),
    /// Error returned when a wallet has no channel and names no voucher key.
    #[error(
        "the wallet has no open channel at this operator: name `voucher_key`, the address of another key that \
         will sign vouchers, or open a channel in the studio"
    )]
    VoucherKeyRequired,
    /// Error returned when a wallet has this many channels at the operator.
    #[error("the wallet has {0} channels at this operator: close one first")]
    TooManyChannels(u64),
    /// Error returned when no channel exists at an address, or this gateway does not serve it.
    #[error("unknown channel `{0}`: open it with POST /v1/channels")]
    UnknownChannel(Pubkey),
    /// Error returned when the stored state of a channel is corrupt.
    #[error("channel `{0}` is not served: its stored state is corrupt. Ask the operator")]
    ChannelQuarantined(Pubkey),
    /// Error returned when another process of this gateway holds the channel.
    #[error("another process holds channel `{channel}`: send the request to {url}")]
    HeldElsewhere {
        /// Address of the channel.
        channel: Pubkey,
        /// URL of the process that holds it.
        url: String,
    },
    /// Error returned while a channel moves to another process.
    #[error("the channel is moving to another process: repeat the request")]
    ChannelMoving,
    /// Error returned when a channel names another operator.
    #[error("the channel's operator is `{theirs}`: expected this gateway's operator `{ours}`")]
    WrongOperator {
        /// Operator of the channel.
        theirs: Pubkey,
        /// Operator of this gateway.
        ours: Pubkey,
    },
    /// Error returned when a channel's operator fee is below this gateway's minimum.
    #[error("the channel's operator fee is {given} basis points: expected at least {least}")]
    FeeTooLow {
        /// Basis points of the channel.
        given: u16,
        /// Minimum in basis points.
        least: u16,
    },
    /// Error returned when a channel's grace period is below this gateway's minimum.
    #[error("the channel's grace period is {given} seconds: expected at least {least}")]
    GraceTooShort {
        /// Seconds of the channel.
        given: u32,
        /// Minimum in seconds.
        least: u32,
    },
    /// Error returned when this gateway does not serve a channel's mint.
    #[error("this gateway does not serve channels in mint `{0}`")]
    MintNotServed(Pubkey),
    /// Error returned when a channel's deposit exceeds the range of the store.
    #[error("the channel's deposit is {0} base units: expected at most 2^63 - 1")]
    DepositTooLarge(u64),
    /// Error returned when a voucher names another channel, cluster or incarnation.
    #[error("the voucher is for another channel, cluster or incarnation of this channel")]
    VoucherOtherChannel,
    /// Error returned when the channel's voucher key did not sign a voucher.
    #[error("invalid voucher signature: expected the channel's voucher key")]
    VoucherSignature,
    /// Error returned when the ledger rejects a generation.
    #[error("{error}")]
    Rejected {
        /// Cause.
        error: LedgerError,
        /// Open statement, if the payer's copy may differ.
        expected: Option<ExpectedStatement>,
    },
    /// Error returned when a request lacks an idempotency key.
    #[error("missing idempotency key: expected an `Idempotency-Key` header")]
    IdempotencyKeyMissing,
    /// Error returned when an idempotency key is invalid.
    #[error("invalid idempotency key: expected 8 to 128 visible ASCII characters")]
    IdempotencyKeyInvalid,
    /// Error returned when an idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// Error returned when no receipt has a digest.
    #[error("unknown receipt: no receipt has this digest")]
    UnknownReceipt,
    /// Error returned when a receipt's statement has not settled.
    #[error("the receipt's statement has not settled yet: repeat the request later")]
    ReceiptNotSettled,
    /// Error returned when a part of the channel's record is missing.
    #[error("this gateway lacks a part of the channel's record and cannot prove the receipt")]
    ReceiptUnprovable,
    /// Error returned when a batch is empty or too long.
    #[error("the batch has {0} generations: expected 1 to 1,000")]
    BatchSize(usize),
    /// Error returned when generations of a batch are rejected, by position. Nothing was charged.
    #[error("{} of the batch's generations are rejected: sign a voucher for the others", .0.len())]
    BatchItems(Vec<(usize, LedgerError)>),
    /// Error returned when a channel has no such hold.
    #[error("unknown hold on this channel")]
    UnknownHold,
    /// Error returned when a hold has no receipt, because it is not captured.
    #[error("the hold is not captured, and has no receipt")]
    HoldNotCaptured,
    /// Error returned when a hold was captured.
    #[error("the hold was captured: its generation is paid for")]
    HoldCaptured,
    /// Error returned when a hold's expiry is above the maximum.
    #[error("the hold lasts too long: expected at most {0} seconds")]
    HoldTooLong(i64),
    /// Error returned when a channel's deposit is below this gateway's minimum.
    #[error("the channel's deposit is {given} base units: expected at least {least}")]
    DepositTooSmall {
        /// Base units.
        given: u64,
        /// Base units.
        least: u64,
    },
    /// Error returned when a channel's last read from the cluster is too old.
    #[error("the channel was last read from the cluster {0} seconds ago: repeat the request later")]
    ChannelUnseen(u64),
    /// Error returned when a channel has no unsettled generations.
    #[error("nothing to settle: no generation since the last settlement")]
    NothingToSettle,
    /// Error returned when all settled fees of a channel are claimed.
    #[error("there is nothing to claim")]
    NothingToClaim,
    /// Error returned when a payer requests a settlement that is worth less than its transaction.
    #[error("the unsettled amount is {exposed} base units: expected at least {least}")]
    SettlementTooSmall {
        /// Base units.
        exposed: u64,
        /// Base units.
        least: u64,
    },
    /// Error returned when another key settles for the operator.
    #[error(
        "this gateway's settle key `{key}` was replaced by `{present}`: nothing was charged; \
         repeat the request when the operator has restarted it"
    )]
    SettleKeyReplaced {
        /// Key of this process.
        key: Pubkey,
        /// Key of the operator's account.
        present: Pubkey,
    },
    /// Error returned when the payer has not started to close a channel.
    #[error("the payer has not started to close this channel on chain")]
    ChannelNotClosing,
    /// Error returned when the chain rejects a settlement.
    #[error("the chain rejected the settlement: {0}")]
    SettlementRefused(String),
    /// Error returned when a settlement is not confirmed in time. It may still be confirmed.
    #[error("the settlement was sent and is not confirmed yet: repeat the request")]
    SettlementUnconfirmed,
    /// Error returned when an API key is missing, invalid or insufficient.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Error returned when a rate limit is exceeded.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// Error returned when neither the payer nor its voucher key signed a request.
    #[error("the request is not signed by the channel's payer or its voucher key")]
    NotByPayer,
    /// Error returned when a payer's request is too old or too new.
    #[error("{}", stale(.late, .now))]
    RequestStale {
        /// Seconds since the signature expired; negative if it is of a later time than it may be.
        late: i64,
        /// Unix seconds.
        now: i64,
    },
    /// Error returned when a body has a content encoding.
    #[error("unsupported `content-encoding`: send the body unencoded")]
    EncodedBody,
    /// Error returned when content cannot be recognized.
    #[error(transparent)]
    Recognition(#[from] RecognitionError),
    /// Error returned when the settlement worker makes no progress.
    #[error("the settlement worker has made no progress for {0} seconds")]
    WorkerStalled(u64),
    /// Error returned when the operator's account cannot pay for settlements.
    #[error("the operator has {lamports} lamports to settle with: expected at least {least}")]
    OperatorUnfunded {
        /// Balance of the fee payer.
        lamports: u64,
        /// Minimum.
        least: u64,
    },
    /// Error returned when the operator pays no more fees for buyers on this day.
    #[error(
        "the operator pays at most {daily} lamports of fees for buyers a day: try again tomorrow"
    )]
    DailyFeesSpent {
        /// Maximum of a day, lamports.
        daily: u64,
    },
    /// Error returned when the operator pays no more fees for a seller without an API key on this day.
    #[error(
        "the operator pays at most {most} lamports a day of fees for sellers without an API key: try again \
         tomorrow"
    )]
    SellerFeesSpent {
        /// Share that is spent: of the recipient or of all sellers, lamports.
        most: u64,
    },
    /// Error returned when the outcome of a payment to a till is not known. It may still land.
    #[error(
        "the payment was sent and is not confirmed yet: repeat the request with the same payment"
    )]
    PaymentUnsettled,
    /// Error returned when the gateway is about to shut down.
    #[error("the gateway is about to shut down")]
    Draining,
    /// Error returned when a body is not the expected JSON.
    #[error("{0}")]
    MalformedJson(String),
    /// Error returned when a body is not declared as JSON.
    #[error("unsupported media type: expected `content-type: application/json`")]
    UnsupportedMediaType,
    /// Error returned when a body is too long.
    #[error("the body is too long: expected at most {0} bytes")]
    BodyTooLarge(usize),
    /// Error returned when a segment of the path is invalid.
    #[error("invalid path segment `{0}`: {1}")]
    InvalidPath(String, String),
    /// Error returned when a request does not name exactly one host.
    #[error("expected one `Host` header")]
    InvalidHost,
    /// Error returned when the query is invalid.
    #[error("{0}")]
    InvalidQuery(String),
    /// Error returned when a URL does not support a method.
    #[error("this URL does not support this method")]
    MethodNotAllowed,
    /// Error returned when a URL does not exist.
    #[error("unknown URL: see /openapi.json")]
    NotFound,
    /// Error returned when a request exceeds its time limit.
    #[error("the request was not finished in time")]
    Timeout,
    /// Error returned when no node of the cluster answers.
    #[error("the cluster is unreachable: repeat the request later")]
    ChainUnreachable(#[source] ChainError),
    /// Error returned when a payment was settled for another request or another seller.
    #[error("the payment was made for another request")]
    PaymentForAnotherRequest,
    /// Error returned when a key of the operator does not sign. Nothing was charged.
    #[error("a key of the operator does not sign at the moment: repeat the request later")]
    SignerUnavailable(#[source] SignError),
    /// Error returned when the store fails.
    #[error("the gateway's store takes no writes")]
    StoreFailed(#[source] StoreError),
    /// Error returned when a row of the store was changed since it was written.
    #[error("a row of the gateway's store is damaged: ask the operator")]
    StoreDamaged(#[source] StoreError),
    /// Error returned when a read on behalf of a client takes too long, or too many are in progress.
    #[error("the read takes too long, or too many are in progress: repeat the request later")]
    ReadsBusy,
    /// Error returned when a transaction to relay calls a program that is not relayed to; `None` if it
    /// calls none of Motif's.
    #[error("{}", foreign_program(.0))]
    ForeignProgram(Option<Pubkey>),
    /// Error returned when a person without works, splits and channels asks for events.
    #[error("there is nothing to tell: the person has no work, split or channel on chain yet")]
    NothingToTell,
    /// Error returned when the operator does not pay for a transaction.
    #[error("the operator does not pay for this transaction: {0}")]
    SponsorshipRefused(String),
    /// Error returned when a transaction to relay cannot be read or is not signed.
    #[error("malformed transaction: {0}")]
    MalformedTransaction(String),
    /// Error returned when a node rejects a transaction that a page sent.
    #[error("{0}")]
    TransactionRefused(String),
    /// Error returned when an upload does not have the digest of its URL.
    #[error("the body's SHA-256 is not the digest that the URL names")]
    WrongDigest,
    /// Error returned when an upload is not a metadata document.
    #[error("invalid metadata: {0}")]
    InvalidMetadata(MetadataError),
    /// Error returned when a work does not name the digest of an upload.
    #[error("the work does not name this digest: register it, or update its metadata, first")]
    NotNamed,
    /// Error returned when nothing of a digest is hosted.
    #[error("this gateway hosts nothing with this digest")]
    NotHosted,
    /// Error returned when there is no room for an upload.
    #[error("this gateway has no room for more metadata and pictures")]
    HostingFull,
    /// Error returned when the disk of the hosted files is full.
    #[error(
        "the disk of this gateway's metadata and pictures is full: nothing was stored; repeat the \
         request when the operator has made room"
    )]
    HostingDiskFull,
    /// Error returned when a request is not signed by a person whom the work pays.
    #[error(
        "expected a `motif-person` header signed by the person, or by the owner or a recipient of \
         the work"
    )]
    NotThePerson,
    /// Error returned when a person or a channel has too many open streams.
    #[error("at most {0} streams of one person or channel are open at once: close one first")]
    TooManyStreams(u32),
    /// Error returned when the gateway has too many open streams.
    #[error("at most {0} streams are open at once: repeat the request later")]
    StreamsFull(u32),
    /// Error returned when events cannot be sent to a URL.
    #[error("invalid webhook: {0}")]
    InvalidWebhook(InvalidUrl),
    /// Error returned when a person, or this gateway, has too many webhooks.
    #[error("a person has at most 5 webhooks, and this gateway has a maximum: remove one first")]
    TooManyWebhooks,
    /// Error returned when a person has no webhook of an id.
    #[error("unknown webhook of this person")]
    UnknownWebhook,
    /// Error returned when too many deliveries wait for a webhook.
    #[error("too many deliveries wait for this webhook: repeat the request later")]
    WebhookBusy,
    /// Error that concurrent callers of one read share.
    #[error(transparent)]
    Shared(Arc<GatewayError>),
    /// Error returned when the gateway has a bug.
    #[error("internal error")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

/// Error returned when content cannot be recognized.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecognitionError {
    /// Error returned when content cannot be decoded and its digest is not registered.
    #[error("the content's digest is not registered, and it cannot be decoded: {0}")]
    Unreadable(String),
    /// Error returned when decoding exceeds its limits and the digest is not registered.
    #[error("the content's digest is not registered, and decoding exceeds memory or time limits")]
    TooCostly,
    /// Error returned when a request has too many fingerprints.
    #[error("too many fingerprints: {0}, expected at most 64")]
    TooManyFingerprints(usize),
    /// Error returned when too many uploads are in progress.
    #[error("too many uploads: repeat the request, or send fingerprints only")]
    Busy,
    /// Error returned before all works are read from the chain.
    #[error("works are being read from the chain: repeat the request")]
    NotReady,
}

impl GatewayError {
    /// Wraps an error that indicates a bug.
    pub(crate) fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// Wraps a ledger's error without the open statement.
    pub fn rejected(error: LedgerError) -> Self {
        Self::Rejected { error, expected: None }
    }

    /// Returns whether another process holds the channel, or may hold it by now.
    pub(crate) fn is_moved(&self) -> bool {
        match self {
            Self::Shared(error) => error.is_moved(),
            error => matches!(error, Self::HeldElsewhere { .. } | Self::ChannelMoving),
        }
    }

    /// Returns whether the cause is in this process, not on the cluster.
    pub(crate) fn is_local(&self) -> bool {
        self.is_moved()
            || matches!(
                self,
                Self::StoreFailed(_) | Self::StoreDamaged(_) | Self::ReadsBusy | Self::Internal(_)
            )
    }
}

impl From<ChainError> for GatewayError {
    fn from(error: ChainError) -> Self {
        Self::ChainUnreachable(error)
    }
}

impl From<StoreError> for GatewayError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost => Self::ChannelMoving,
            StoreError::KeyBudget { needed, left } => {
                KeyError::BudgetExceeded { needed, left }.into()
            }
            StoreError::Busy => Self::ReadsBusy,
            StoreError::Unsigned(error) => Self::SignerUnavailable(error),
            StoreError::OutOfRange(_) => Self::rejected(LedgerError::AmountTooLarge),
            StoreError::Corrupt(_) => Self::StoreDamaged(error),
            error => Self::StoreFailed(error),
        }
    }
}

impl From<SignError> for GatewayError {
    fn from(error: SignError) -> Self {
        Self::SignerUnavailable(error)
    }
}

impl From<ProofError> for GatewayError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::ReceiptNotFound => Self::UnknownReceipt,
            ProofError::NotSettled => Self::ReceiptNotSettled,
            ProofError::StatementNotFound | ProofError::StatementDamaged(_) => {
                Self::ReceiptUnprovable
            }
            ProofError::Store(error) => error.into(),
        }
    }
}

fn stale(late: &i64, now: &i64) -> String {
    match late {
        0.. => format!(
            "the signature expired {late} seconds ago: sign the request again; if that is refused as well, set \
             the clock of the machine that signs: the gateway's time is {now}"
        ),
        early => format!(
            "the signature is {} seconds too far in the future: set the clock of the machine that signs, or have \
             the signature expire earlier, and sign the request again; the gateway's time is {now}",
            early.saturating_neg()
        ),
    }
}

fn foreign_program(program: &Option<Pubkey>) -> String {
    match program {
        Some(program) => format!("transactions that call program `{program}` so are not relayed"),
        None => "the transaction calls no program of Motif".to_owned(),
    }
}
