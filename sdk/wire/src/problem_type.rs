use serde::{Deserialize, Serialize};
use strum::{Display, EnumMessage, EnumProperty, EnumString, IntoStaticStr, VariantArray};

/// Types of the RFC 9457 problem documents that a gateway answers with.
///
/// On the wire a type is its slug: the variant's name in kebab case, such as `unknown-work`.
/// Slugs are stable. A newer gateway may send slugs that this version does not know, so parse
/// one with [`std::str::FromStr`] and treat failure as a generic error of the problem's status.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumMessage,
    EnumProperty,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ProblemType {
    /// No work exists at the address.
    #[strum(message = "Unknown work", props(status = 404))]
    UnknownWork,
    /// The work has published no terms.
    #[strum(message = "The work has no terms", props(status = 404))]
    NoTerms,
    /// The work's latest terms do not license the use.
    #[strum(message = "The terms do not license this use", props(status = 404))]
    UseNotLicensed,
    /// The work's owner has to approve each license.
    #[strum(message = "The license requires an approval", props(status = 409))]
    ApprovalRequired,
    /// A new channel needs a key that signs vouchers, other than the wallet's.
    #[strum(message = "A voucher key is required", props(status = 409))]
    VoucherKeyRequired,
    /// The wallet has as many channels at this operator as are looked for.
    #[strum(message = "Too many channels", props(status = 409))]
    TooManyChannels,
    /// The gateway does not serve the channel.
    #[strum(message = "Unknown channel", props(status = 404))]
    UnknownChannel,
    /// The gateway's stored state of the channel is corrupt; its operator has to repair it.
    #[strum(message = "The channel is quarantined", props(status = 503))]
    ChannelQuarantined,
    /// Another process of the gateway serves the channel; the problem names its URL.
    #[strum(message = "Another process has the channel", props(status = 421))]
    ChannelHeldElsewhere,
    /// The channel is moving between processes; repeat the request.
    #[strum(message = "The channel is being taken over", props(status = 503))]
    ChannelMoving,
    /// The channel names another operator.
    #[strum(message = "Another operator's channel", props(status = 422))]
    WrongOperator,
    /// The channel's operator fee is below the gateway's minimum.
    #[strum(message = "The operator's fee is too low", props(status = 422))]
    FeeTooLow,
    /// The channel's grace period is below the gateway's minimum.
    #[strum(message = "The grace period is too short", props(status = 422))]
    GraceTooShort,
    /// The gateway serves no channels in the mint.
    #[strum(message = "Mint not served", props(status = 422))]
    MintNotServed,
    /// The channel's deposit exceeds 2^63 - 1 base units.
    #[strum(message = "The deposit is too large", props(status = 422))]
    DepositTooLarge,
    /// The channel's deposit is below the gateway's minimum.
    #[strum(message = "The deposit is too small", props(status = 422))]
    DepositTooSmall,
    /// The voucher names another channel, cluster or incarnation.
    #[strum(message = "The voucher is for another channel", props(status = 422))]
    VoucherOtherChannel,
    /// The voucher is not signed by the channel's voucher key.
    #[strum(message = "Wrong voucher signature", props(status = 422))]
    VoucherSignature,
    /// The payer is closing the channel.
    #[strum(message = "The channel is closing", props(status = 409))]
    ChannelClosing,
    /// A statement of the channel can never settle, nor any after it; open another channel.
    #[strum(message = "The channel is stopped", props(status = 409))]
    ChannelStopped,
    /// The payer is rotating the channel's voucher key.
    #[strum(message = "The channel's voucher key is changing", props(status = 409))]
    VoucherKeyRotating,
    /// The voucher is for a statement that takes no more generations.
    #[strum(message = "The statement is closed", props(status = 409))]
    StatementClosed,
    /// The voucher is for a statement after the open one.
    #[strum(message = "The statement has not begun", props(status = 409))]
    StatementAhead,
    /// The generation uses no units.
    #[strum(message = "No units", props(status = 422))]
    NoUnits,
    /// The channel has no license of this index.
    #[strum(message = "Unknown license", props(status = 404))]
    UnknownLicense,
    /// The open statement holds no further license.
    #[strum(message = "The statement is full", props(status = 409))]
    StatementFull,
    /// The generation exceeds the license's unit cap.
    #[strum(message = "Unit cap reached", props(status = 409))]
    UnitCap,
    /// The generation exceeds the license's daily cap.
    #[strum(message = "Daily cap reached", props(status = 409))]
    DailyCap,
    /// The generation exceeds the license's revenue cap.
    #[strum(message = "Revenue cap reached", props(status = 409))]
    RevenueCap,
    /// The license has expired, or expires before the voucher can settle.
    #[strum(message = "The license has expired", props(status = 409))]
    LicenseExpired,
    /// The voucher's total does not match the price.
    #[strum(message = "Wrong price", props(status = 409))]
    WrongPrice,
    /// The generation's price is below the gateway's minimum.
    #[strum(message = "The price is too low", props(status = 422))]
    PriceTooLow,
    /// The voucher's total is not above the newest accepted one.
    #[strum(message = "The voucher is not newer", props(status = 409))]
    VoucherNotNewer,
    /// The voucher's statement digest does not match the units.
    #[strum(message = "The voucher is for other units", props(status = 409))]
    StatementMismatch,
    /// The channel's deposit does not cover the generation.
    #[strum(message = "The channel is underfunded", props(status = 402))]
    Underfunded,
    /// The channel's budget at the gateway does not cover the generation.
    #[strum(message = "The channel's budget is used up", props(status = 402))]
    ChannelBudget,
    /// The hold was released, captured or has expired.
    #[strum(message = "The hold has ended", props(status = 409))]
    HoldEnded,
    /// The generation uses more units than were held.
    #[strum(message = "The hold is exceeded", props(status = 409))]
    HoldExceeded,
    /// The channel has the maximum number of holds.
    #[strum(message = "Too many holds", props(status = 409))]
    HoldsFull,
    /// An earlier statement must settle first; repeat the request.
    #[strum(message = "An earlier statement must settle", props(status = 503))]
    SettlementDue,
    /// The channel's unsettled amount is at the gateway's limit; repeat the request.
    #[strum(message = "Unsettled amount too large", props(status = 503))]
    Exposed,
    /// The voucher expires too soon to be settled.
    #[strum(message = "The voucher expires too soon", props(status = 422))]
    VoucherExpiresTooSoon,
    /// An amount exceeds 2^63 - 1 base units.
    #[strum(message = "Amount too large", props(status = 422))]
    AmountTooLarge,
    /// The `Idempotency-Key` header is missing.
    #[strum(message = "Idempotency key missing", props(status = 400))]
    IdempotencyKeyMissing,
    /// The idempotency key is not 8 to 128 visible ASCII characters.
    #[strum(message = "Idempotency key invalid", props(status = 400))]
    IdempotencyKeyInvalid,
    /// The idempotency key was used for another request.
    #[strum(message = "Idempotency key reused", props(status = 409))]
    IdempotencyKeyReused,
    /// The gateway has no receipt of this digest.
    #[strum(message = "Unknown receipt", props(status = 404))]
    UnknownReceipt,
    /// The receipt's statement has not settled yet; repeat the request later.
    #[strum(message = "The receipt has not settled", props(status = 409))]
    ReceiptNotSettled,
    /// The gateway lacks a part of the channel's record, so it cannot prove the receipt.
    #[strum(message = "The receipt cannot be proved here", props(status = 409))]
    ReceiptUnprovable,
    /// The batch is empty or has more than 1,000 generations.
    #[strum(message = "Invalid batch size", props(status = 422))]
    BatchSize,
    /// Items of the batch are refused, and nothing was charged; the problem names them. Sign a voucher
    /// for the others.
    #[strum(message = "Items of the batch are refused", props(status = 409))]
    BatchItems,
    /// The channel has no such hold.
    #[strum(message = "Unknown hold", props(status = 404))]
    UnknownHold,
    /// The hold is for another request.
    #[strum(message = "The hold is for another request", props(status = 409))]
    HoldMismatch,
    /// The hold was captured; its generation is paid for.
    #[strum(message = "The hold was captured", props(status = 409))]
    HoldCaptured,
    /// The hold's expiry is above the gateway's maximum.
    #[strum(message = "The hold is too long", props(status = 422))]
    HoldTooLong,
    /// The gateway's last read of the channel on chain is too old.
    #[strum(message = "The channel was not read recently", props(status = 503))]
    ChannelUnseen,
    /// Nothing was used since the last settlement.
    #[strum(message = "There is nothing to settle", props(status = 409))]
    NothingToSettle,
    /// All settled fees of the channel, or all earnings of the person, are claimed.
    #[strum(message = "Nothing to claim", props(status = 409))]
    NothingToClaim,
    /// The unsettled amount is below the gateway's minimum for a settlement.
    #[strum(message = "The settlement is too small", props(status = 409))]
    SettlementTooSmall,
    /// Another key settles for the operator than this gateway has; nothing was charged. Repeat the
    /// request later.
    #[strum(message = "The settle key was replaced", props(status = 503))]
    SettleKeyReplaced,
    /// The payer has not started closing the channel on chain.
    #[strum(message = "The channel is not closing", props(status = 409))]
    ChannelNotClosing,
    /// The payments program rejected the settlement.
    #[strum(message = "The chain rejected the settlement", props(status = 502))]
    SettlementRefused,
    /// The settlement was sent and is not confirmed yet; repeat the request.
    #[strum(message = "Not settled yet", props(status = 504))]
    SettlementUnconfirmed,
    /// The request has no valid API key.
    #[strum(message = "Unauthorized", props(status = 401))]
    Unauthorized,
    /// The API key lacks the required scope.
    #[strum(message = "Forbidden", props(status = 403))]
    Forbidden,
    /// No API key with this identifier exists.
    #[strum(message = "Unknown API key", props(status = 404))]
    UnknownKey,
    /// An API key cannot be created with these values.
    #[strum(message = "Invalid API key", props(status = 422))]
    InvalidKey,
    /// The API key's budget does not cover the request.
    #[strum(message = "The API key's budget is used up", props(status = 402))]
    KeyBudget,
    /// A rate limit is reached; the `Retry-After` header names the seconds to wait.
    #[strum(message = "Too many requests", props(status = 429))]
    RateLimited,
    /// The request is not signed by the channel's payer or its voucher key.
    #[strum(message = "Not signed by the payer", props(status = 403))]
    NotByPayer,
    /// The request was signed too far from the gateway's present time.
    #[strum(message = "The request is too old or too new", props(status = 403))]
    RequestStale,
    /// The body has a `Content-Encoding`, which is not supported.
    #[strum(message = "The body is encoded", props(status = 415))]
    EncodedBody,
    /// The content cannot be decoded and has no exact match.
    #[strum(message = "The content is unreadable", props(status = 422))]
    ContentUnreadable,
    /// Decoding exceeded its memory or time limit, and the content has no exact match.
    #[strum(message = "Decoding limits exceeded", props(status = 422))]
    ContentTooCostly,
    /// The request names more than 64 fingerprints.
    #[strum(message = "Too many fingerprints", props(status = 422))]
    TooManyFingerprints,
    /// The gateway is decoding too much content; repeat the request.
    #[strum(message = "Recognition is busy", props(status = 503))]
    RecognitionBusy,
    /// The works on chain have not been read yet; repeat the request.
    #[strum(message = "Works are being read", props(status = 503))]
    RecognitionNotReady,
    /// The operator cannot pay for settlements; repeat the request later.
    #[strum(message = "The operator cannot settle", props(status = 503))]
    OperatorUnfunded,
    /// The settlement worker makes no progress.
    #[strum(message = "Settlement has stopped", props(status = 503))]
    WorkerStalled,
    /// The body is not valid JSON for this request.
    #[strum(message = "Malformed JSON", props(status = 400))]
    MalformedJson,
    /// The `Content-Type` is not `application/json`.
    #[strum(message = "The body must be JSON", props(status = 415))]
    UnsupportedMediaType,
    /// The body exceeds the gateway's maximum.
    #[strum(message = "The body is too large", props(status = 413))]
    BodyTooLarge,
    /// A segment of the path cannot be parsed.
    #[strum(message = "Invalid path", props(status = 400))]
    InvalidPath,
    /// The request has no `Host` header, or several.
    #[strum(message = "Invalid host", props(status = 400))]
    InvalidHost,
    /// The query string cannot be parsed.
    #[strum(message = "Invalid query", props(status = 400))]
    InvalidQuery,
    /// The URL does not support the method.
    #[strum(message = "Method not allowed", props(status = 405))]
    MethodNotAllowed,
    /// The URL does not exist.
    #[strum(message = "Not found", props(status = 404))]
    NotFound,
    /// The request was not finished in time.
    #[strum(message = "Timeout", props(status = 408))]
    Timeout,
    /// No RPC node of the cluster answers.
    #[strum(message = "The cluster is unreachable", props(status = 503))]
    ChainUnreachable,
    /// The read takes too long, or too many are in progress; repeat the request later.
    #[strum(message = "Too many reads", props(status = 503))]
    ReadsBusy,
    /// A key of the operator does not sign at the moment; nothing was charged. Repeat the request.
    #[strum(message = "A signer is unavailable", props(status = 503))]
    SignerUnavailable,
    /// The gateway's store takes no writes.
    #[strum(message = "The store has failed", props(status = 503))]
    StoreFailed,
    /// The gateway has a bug.
    #[strum(message = "Internal error", props(status = 500))]
    Internal,
    /// The request carries no payment; the problem names the price.
    #[strum(message = "Payment required", props(status = 402))]
    PaymentRequired,
    /// The answer is ready and waits for a voucher.
    #[strum(message = "The answer is unpaid", props(status = 402))]
    PaymentDue,
    /// The `motif-payment` header cannot be parsed.
    #[strum(message = "Malformed payment", props(status = 400))]
    PaymentMalformed,
    /// The license is for another work or use than the route's.
    #[strum(message = "The license is for another work or use", props(status = 422))]
    OtherLicense,
    /// The number of held units is outside the route's bounds.
    #[strum(message = "Held units out of range", props(status = 422))]
    HoldUnits,
    /// The hold's expiry is below the route's minimum.
    #[strum(message = "The hold is too short", props(status = 422))]
    HoldTooShort,
    /// The same request is being answered; repeat it.
    #[strum(message = "The request is in progress", props(status = 409))]
    AnswerRunning,
    /// The answer was paid for and is no longer stored.
    #[strum(message = "The answer is no longer stored", props(status = 410))]
    AnswerGone,
    /// The stream was started before; a stream cannot be restarted.
    #[strum(message = "The stream has begun", props(status = 409))]
    StreamBegun,
    /// No answer of this name waits for payment.
    #[strum(message = "Unknown answer", props(status = 404))]
    UnknownAnswer,
    /// The channel has the maximum number of unpaid answers.
    #[strum(message = "Too many unpaid answers", props(status = 429))]
    TooManyUnpaid,
    /// The paywall has no room for another answer; repeat the request.
    #[strum(message = "The paywall is full", props(status = 503))]
    PaywallFull,
    /// The model server failed. Nothing was charged.
    #[strum(message = "The model server failed", props(status = 502))]
    UpstreamFailed,
    /// The model server exceeded its time limit. Nothing was charged.
    #[strum(message = "The model server timed out", props(status = 504))]
    UpstreamTimeout,
    /// The model server's answer exceeds the maximum size. Nothing was charged.
    #[strum(message = "The answer is too large", props(status = 502))]
    AnswerTooLarge,
    /// The model server did not report its units. Nothing was charged.
    #[strum(message = "Units are missing", props(status = 502))]
    UnitsMissing,
    /// The model server reported more units than were held. Nothing was charged.
    #[strum(message = "More units than were held", props(status = 502))]
    UnitsAboveHeld,
    /// The gateway is shutting down; repeat the request.
    #[strum(message = "The gateway is stopping", props(status = 503))]
    Stopping,
    /// The request has payments in more than one header.
    #[strum(message = "More than one payment", props(status = 400))]
    TwoPayments,
    /// The payment does not buy the answer; the problem states why. Nothing was charged.
    #[strum(message = "The payment was refused", props(status = 402))]
    SaleRefused,
    /// The payment was made for another request.
    #[strum(message = "The payment is for another request", props(status = 409))]
    PaymentForAnotherRequest,
    /// The payment was sent and its outcome is not known yet; repeat the same request with the same
    /// payment.
    #[strum(message = "The payment is not settled yet", props(status = 503))]
    PaymentUnsettled,
    /// Another process of the gateway has the answer; the problem names its URL.
    #[strum(message = "Another process has the answer", props(status = 421))]
    AnswerElsewhere,
    /// The answer is paid for and could not be made; repeat the same request with the same payment.
    /// Nothing is charged again.
    #[strum(message = "A paid answer could not be made", props(status = 502))]
    AnswerOwed,
    /// The transaction calls a program that the gateway does not relay to, or none of Motif's.
    #[strum(message = "Foreign program", props(status = 403))]
    ForeignProgram,
    /// The person has no work, split or channel on chain that events could be about.
    #[strum(message = "Nothing to tell", props(status = 403))]
    NothingToTell,
    /// The operator does not pay for the transaction: it pays for registrations, terms and claims of wallets without
    /// SOL, within a daily budget.
    #[strum(message = "Sponsorship refused", props(status = 403))]
    SponsorshipRefused,
    /// The bytes are no transaction, or it is not fully signed, or it has lookup tables.
    #[strum(message = "Malformed transaction", props(status = 400))]
    MalformedTransaction,
    /// A node rejected the transaction in its preflight check. Nothing was changed.
    #[strum(message = "The chain rejected the transaction", props(status = 422))]
    TransactionRefused,
    /// The request is not signed by a person whom the work pays.
    #[strum(message = "Not signed by the person", props(status = 403))]
    NotThePerson,
    /// The body does not have the digest that the URL names.
    #[strum(message = "Wrong digest", props(status = 422))]
    WrongDigest,
    /// The body is not a metadata document.
    #[strum(message = "Invalid metadata", props(status = 422))]
    InvalidMetadata,
    /// The work does not name the digest.
    #[strum(message = "The work does not name this digest", props(status = 409))]
    NotNamed,
    /// The gateway does not host metadata or a picture of this digest.
    #[strum(message = "Not hosted here", props(status = 404))]
    NotHosted,
    /// The gateway has no room for more metadata and pictures.
    #[strum(message = "The gateway has no room", props(status = 503))]
    HostingFull,
    /// The reader has the maximum number of open streams of events.
    #[strum(message = "Too many streams", props(status = 429))]
    TooManyStreams,
    /// The gateway has the maximum number of open streams of events; repeat the request later.
    #[strum(message = "No room for another stream", props(status = 503))]
    StreamsFull,
    /// Events cannot be sent to the URL.
    #[strum(message = "Invalid webhook", props(status = 422))]
    InvalidWebhook,
    /// The person or the gateway has the maximum number of webhooks.
    #[strum(message = "Too many webhooks", props(status = 409))]
    TooManyWebhooks,
    /// The person has no such webhook.
    #[strum(message = "Unknown webhook", props(status = 404))]
    UnknownWebhook,
    /// Too many deliveries wait for the webhook; repeat the request later.
    #[strum(message = "The webhook is busy", props(status = 429))]
    WebhookBusy,
}

impl ProblemType {
    /// All problem types.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the stable identifier that the problem document's `type` contains.
    pub fn slug(self) -> &'static str {
        self.into()
    }

    /// Returns the human-readable title, which is the same for all problems of the type.
    pub fn title(self) -> &'static str {
        self.get_message().unwrap_or_default()
    }

    /// Returns the HTTP status that the type is answered with.
    pub fn status(self) -> u16 {
        self.get_int("status").and_then(|status| u16::try_from(status).ok()).unwrap_or(500)
    }

    /// Whether the type states that the model server behind a paywall failed and nothing was
    /// charged.
    pub fn is_uncharged(self) -> bool {
        matches!(
            self,
            Self::UpstreamFailed
                | Self::UpstreamTimeout
                | Self::AnswerTooLarge
                | Self::UnitsMissing
                | Self::UnitsAboveHeld
                | Self::PaywallFull
                | Self::Stopping
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_slug_title_and_status() {
        for problem_type in ProblemType::ALL.iter().copied() {
            let slug = problem_type.slug();
            assert_eq!(slug.parse(), Ok(problem_type));
            assert_eq!(serde_json::to_string(&problem_type).unwrap(), format!("\"{slug}\""));
            assert!(!problem_type.title().is_empty(), "{slug}");
            let status = problem_type.get_int("status");
            assert_eq!(status, Some(problem_type.status().into()), "{slug}");
            assert!((400..600).contains(&problem_type.status()), "{slug}");
        }
    }

    #[test]
    fn unknown_slug_is_rejected() {
        assert!("unknown-slug".parse::<ProblemType>().is_err());
    }
}
