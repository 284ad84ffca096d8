//! RFC 9457 problem documents: the HTTP form of a [`GatewayError`].

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use motif_sdk::gateway::{
    ProblemType,
    wire::{ItemProblem, Problem},
};

use crate::{
    error::{GatewayError, RecognitionError},
    keys::KeyError,
    ledger::{LedgerError, LicenseLimit},
};

impl GatewayError {
    /// Returns the type of the problem document.
    pub fn problem_type(&self) -> ProblemType {
        use ProblemType as Type;
        match self {
            Self::UnknownWork(_) => Type::UnknownWork,
            Self::NoTerms(_) => Type::NoTerms,
            Self::ApprovalRequired(_) => Type::ApprovalRequired,
            Self::VoucherKeyRequired => Type::VoucherKeyRequired,
            Self::TooManyChannels(_) => Type::TooManyChannels,
            Self::UseNotLicensed { .. } => Type::UseNotLicensed,
            Self::UnknownChannel(_) => Type::UnknownChannel,
            Self::ChannelQuarantined(_) => Type::ChannelQuarantined,
            Self::HeldElsewhere { .. } => Type::ChannelHeldElsewhere,
            Self::ChannelMoving => Type::ChannelMoving,
            Self::WrongOperator { .. } => Type::WrongOperator,
            Self::FeeTooLow { .. } => Type::FeeTooLow,
            Self::GraceTooShort { .. } => Type::GraceTooShort,
            Self::MintNotServed(_) => Type::MintNotServed,
            Self::DepositTooLarge(_) => Type::DepositTooLarge,
            Self::DepositTooSmall { .. } => Type::DepositTooSmall,
            Self::VoucherOtherChannel => Type::VoucherOtherChannel,
            Self::VoucherSignature => Type::VoucherSignature,
            Self::Rejected { error, .. } => error.problem_type(),
            Self::IdempotencyKeyMissing => Type::IdempotencyKeyMissing,
            Self::IdempotencyKeyInvalid => Type::IdempotencyKeyInvalid,
            Self::IdempotencyKeyReused => Type::IdempotencyKeyReused,
            Self::UnknownReceipt | Self::HoldNotCaptured => Type::UnknownReceipt,
            Self::ReceiptNotSettled => Type::ReceiptNotSettled,
            Self::ReceiptUnprovable => Type::ReceiptUnprovable,
            Self::BatchSize(_) => Type::BatchSize,
            Self::BatchItems(_) => Type::BatchItems,
            Self::UnknownHold => Type::UnknownHold,
            Self::HoldCaptured => Type::HoldCaptured,
            Self::HoldTooLong(_) => Type::HoldTooLong,
            Self::ChannelUnseen(_) => Type::ChannelUnseen,
            Self::NothingToSettle => Type::NothingToSettle,
            Self::NothingToClaim => Type::NothingToClaim,
            Self::SettlementTooSmall { .. } => Type::SettlementTooSmall,
            Self::SettleKeyReplaced { .. } => Type::SettleKeyReplaced,
            Self::ChannelNotClosing => Type::ChannelNotClosing,
            Self::SettlementRefused(_) => Type::SettlementRefused,
            Self::SettlementUnconfirmed => Type::SettlementUnconfirmed,
            Self::Key(error) => match error {
                KeyError::Unauthorized => Type::Unauthorized,
                KeyError::MissingScope(_) => Type::Forbidden,
                KeyError::BudgetExceeded { .. } => Type::KeyBudget,
                KeyError::NotFound(_) => Type::UnknownKey,
                KeyError::Invalid(_) => Type::InvalidKey,
            },
            Self::RateLimited(_) => Type::RateLimited,
            Self::NotByPayer => Type::NotByPayer,
            Self::RequestStale { .. } => Type::RequestStale,
            Self::EncodedBody => Type::EncodedBody,
            Self::Recognition(error) => match error {
                RecognitionError::Unreadable(_) => Type::ContentUnreadable,
                RecognitionError::TooCostly => Type::ContentTooCostly,
                RecognitionError::TooManyFingerprints(_) => Type::TooManyFingerprints,
                RecognitionError::Busy => Type::RecognitionBusy,
                RecognitionError::NotReady => Type::RecognitionNotReady,
            },
            Self::WorkerStalled(_) => Type::WorkerStalled,
            Self::OperatorUnfunded { .. }
            | Self::DailyFeesSpent { .. }
            | Self::SellerFeesSpent { .. } => Type::OperatorUnfunded,
            Self::PaymentUnsettled => Type::PaymentUnsettled,
            Self::Draining => Type::Stopping,
            Self::MalformedJson(_) => Type::MalformedJson,
            Self::UnsupportedMediaType => Type::UnsupportedMediaType,
            Self::BodyTooLarge(_) => Type::BodyTooLarge,
            Self::InvalidPath(..) => Type::InvalidPath,
            Self::InvalidHost => Type::InvalidHost,
            Self::InvalidQuery(_) => Type::InvalidQuery,
            Self::MethodNotAllowed => Type::MethodNotAllowed,
            Self::NotFound => Type::NotFound,
            Self::Timeout => Type::Timeout,
            Self::ChainUnreachable(_) => Type::ChainUnreachable,
            Self::PaymentForAnotherRequest => Type::PaymentForAnotherRequest,
            Self::SignerUnavailable(_) => Type::SignerUnavailable,
            Self::StoreFailed(_) | Self::StoreDamaged(_) => Type::StoreFailed,
            Self::ReadsBusy => Type::ReadsBusy,
            Self::ForeignProgram(_) => Type::ForeignProgram,
            Self::SponsorshipRefused(_) => Type::SponsorshipRefused,
            Self::NothingToTell => Type::NothingToTell,
            Self::MalformedTransaction(_) => Type::MalformedTransaction,
            Self::TransactionRefused(_) => Type::TransactionRefused,
            Self::NotThePerson => Type::NotThePerson,
            Self::WrongDigest => Type::WrongDigest,
            Self::InvalidMetadata(_) => Type::InvalidMetadata,
            Self::NotNamed => Type::NotNamed,
            Self::NotHosted => Type::NotHosted,
            Self::HostingFull | Self::HostingDiskFull => Type::HostingFull,
            Self::TooManyStreams(_) => Type::TooManyStreams,
            Self::StreamsFull(_) => Type::StreamsFull,
            Self::InvalidWebhook(_) => Type::InvalidWebhook,
            Self::TooManyWebhooks => Type::TooManyWebhooks,
            Self::UnknownWebhook => Type::UnknownWebhook,
            Self::WebhookBusy => Type::WebhookBusy,
            Self::Shared(error) => error.problem_type(),
            Self::Internal(_) => Type::Internal,
        }
    }

    /// Returns the problem document.
    pub fn problem(&self) -> Problem {
        if let Self::Shared(error) = self {
            return error.problem();
        }
        let problem_type = self.problem_type();
        let expected = match self {
            Self::Rejected { expected, .. } => expected.clone(),
            _ => None,
        };
        let holder = match self {
            Self::HeldElsewhere { url, .. } => Some(url.clone()),
            _ => None,
        };
        Problem {
            slug: problem_type.slug().to_owned(),
            title: problem_type.title().to_owned(),
            status: problem_type.status(),
            detail: self.to_string(),
            expected,
            payment: None,
            holder,
            items: self.items(),
        }
    }

    /// Returns the problems of a batch's generations.
    fn items(&self) -> Vec<ItemProblem> {
        let Self::BatchItems(refused) = self else { return Vec::new() };
        let problem = |(position, error): &(usize, LedgerError)| ItemProblem {
            item: u32::try_from(*position).unwrap_or(u32::MAX),
            slug: error.problem_type().slug().to_owned(),
            detail: error.to_string(),
        };
        refused.iter().map(problem).collect()
    }

    /// Logs internal details that are not sent to the client.
    fn log(&self) {
        match self {
            Self::Internal(cause) => tracing::error!(%cause, "internal error"),
            Self::ChainUnreachable(cause) => tracing::warn!(%cause, "cluster unreachable"),
            Self::SignerUnavailable(cause) => tracing::warn!(%cause, "signer unavailable"),
            Self::StoreFailed(cause) => tracing::error!(%cause, "store failed"),
            Self::StoreDamaged(cause) => tracing::error!(%cause, "store damaged"),
            Self::HostingDiskFull => tracing::error!("the disk of hosted files is full"),
            Self::Shared(error) => error.log(),
            _ => {}
        }
    }

    /// Returns the seconds after which the client may retry, for the `Retry-After` header.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited(limited) => Some(limited.retry_seconds()),
            Self::ReadsBusy | Self::PaymentUnsettled => Some(1),
            Self::TooManyStreams(_) | Self::StreamsFull(_) | Self::WebhookBusy => Some(10),
            Self::Shared(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl LedgerError {
    /// Returns the type of the problem document.
    fn problem_type(&self) -> ProblemType {
        use ProblemType as Type;
        match self {
            Self::ChannelClosing => Type::ChannelClosing,
            Self::ChannelStopped { .. } => Type::ChannelStopped,
            Self::VoucherKeyRotating { .. } => Type::VoucherKeyRotating,
            Self::StatementClosed => Type::StatementClosed,
            Self::StatementAhead { .. } => Type::StatementAhead,
            Self::NoUnits => Type::NoUnits,
            Self::LicenseNotFound(_) => Type::UnknownLicense,
            Self::StatementFull => Type::StatementFull,
            Self::LicenseLimit { limit, .. } => match limit {
                LicenseLimit::Units => Type::UnitCap,
                LicenseLimit::Daily => Type::DailyCap,
                LicenseLimit::Revenue => Type::RevenueCap,
                LicenseLimit::Expired => Type::LicenseExpired,
            },
            Self::LicenseEnding { .. } => Type::LicenseExpired,
            Self::WrongPrice { .. } => Type::WrongPrice,
            Self::PriceTooLow { .. } => Type::PriceTooLow,
            Self::NotNewer { .. } => Type::VoucherNotNewer,
            Self::StatementMismatch => Type::StatementMismatch,
            Self::Underfunded { .. } => Type::Underfunded,
            Self::OverBudget { .. } => Type::ChannelBudget,
            Self::UnknownHold => Type::HoldEnded,
            Self::HoldMismatch => Type::HoldMismatch,
            Self::HoldExceeded { .. } => Type::HoldExceeded,
            Self::HoldsFull => Type::HoldsFull,
            Self::SettlementDue { .. } => Type::SettlementDue,
            Self::Exposed { .. } => Type::Exposed,
            Self::ExpiresTooSoon { .. } => Type::VoucherExpiresTooSoon,
            Self::AmountTooLarge => Type::AmountTooLarge,
        }
    }
}

impl IntoResponse for GatewayError {
    /// Returns the problem document. Its [`ProblemType`] is among the response's extensions.
    fn into_response(self) -> Response {
        self.log();
        let problem_type = self.problem_type();
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status);
        let mut response = axum::Json(problem).into_response();
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(problem_type);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if problem_type == ProblemType::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
