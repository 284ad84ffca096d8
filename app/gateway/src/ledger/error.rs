use motif_sdk::channel::PaymentsError;

/// Limit of a license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenseLimit {
    /// Total units.
    Units,
    /// Units per day.
    Daily,
    /// Total prices.
    Revenue,
    /// Expiry.
    Expired,
}

/// Error returned when a ledger rejects a generation. The ledger is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Error returned when the payer is closing the channel.
    #[error("the channel is closing and takes no new generations")]
    ChannelClosing,
    /// Error returned when a statement can never settle, so that none after it can.
    #[error(
        "statement {statement} can never settle on chain, nor any after it: close the channel and \
         open another one"
    )]
    ChannelStopped {
        /// Number of the statement.
        statement: u64,
    },
    /// Error returned while the payer rotates its voucher key.
    #[error(
        "the channel's voucher key rotates at {rotates_at}: sign with the new key from then on"
    )]
    VoucherKeyRotating {
        /// Unix seconds of the cluster.
        rotates_at: i64,
    },
    /// Error returned when the voucher's statement is closed.
    #[error("the voucher's statement is closed: sign for the open one")]
    StatementClosed,
    /// Error returned when the voucher's statement is after the open one.
    #[error("the voucher's statement has not begun: expected the open statement {open}")]
    StatementAhead {
        /// Number of the open statement.
        open: u64,
    },
    /// Error returned when a generation uses no units.
    #[error("no units: expected at least one")]
    NoUnits,
    /// Error returned when the channel has no license of this index.
    #[error("the channel has no license {0}")]
    LicenseNotFound(u16),
    /// Error returned when the open statement has no room for the generation.
    #[error("the open statement is full and settles first")]
    StatementFull,
    /// Error returned when a limit of the license is reached.
    #[error("license {license}: {}", limit.message())]
    LicenseLimit {
        /// Index of the license.
        license: u16,
        /// Limit that is reached.
        limit: LicenseLimit,
    },
    /// Error returned when the license expires before the generation can settle.
    #[error("the license expires at {expires_at}, before this generation can settle")]
    LicenseEnding {
        /// Unix seconds.
        expires_at: i64,
    },
    /// Error returned when the voucher's total does not match the licenses' prices.
    #[error("the voucher's total is {given}: expected {expected}")]
    WrongPrice {
        /// Base units.
        given: u64,
        /// Base units.
        expected: u64,
    },
    /// Error returned when a generation's price is below the gateway's minimum.
    #[error("the price is {given} base units: expected at least {least}")]
    PriceTooLow {
        /// Base units.
        given: u64,
        /// Base units.
        least: u64,
    },
    /// Error returned when the voucher's total is not above the newest one.
    #[error("the voucher's total is {given}: expected more than the newest one, {current}")]
    NotNewer {
        /// Base units.
        given: u64,
        /// Base units.
        current: u64,
    },
    /// Error returned when the voucher's total matches but its units do not.
    #[error("the voucher's units do not match the open statement with this generation")]
    StatementMismatch,
    /// Error returned when the deposit does not cover the generation.
    #[error("the total would be {needed}: the channel's deposit covers {spendable}, top it up")]
    Underfunded {
        /// Base units.
        needed: u64,
        /// Base units.
        spendable: u64,
    },
    /// Error returned when the channel's budget at this gateway is exceeded.
    #[error("the total would be {needed}: the channel's budget at this gateway is {budget}")]
    OverBudget {
        /// Base units.
        needed: u64,
        /// Base units.
        budget: u64,
    },
    /// Error returned when the hold does not exist or has ended.
    #[error("unknown hold: it was captured, released or has expired")]
    UnknownHold,
    /// Error returned when the hold is for another request.
    #[error("the hold is for another request")]
    HoldMismatch,
    /// Error returned when a generation uses more units than were held.
    #[error("too many units: the hold is for {held}")]
    HoldExceeded {
        /// Units.
        held: u32,
    },
    /// Error returned when the channel has the maximum number of open holds.
    #[error("too many open holds on the channel: capture or release some")]
    HoldsFull,
    /// Error returned when an earlier statement must settle first.
    #[error("earlier generations must settle by {by} first: repeat the request later")]
    SettlementDue {
        /// Unix seconds.
        by: i64,
    },
    /// Error returned when the channel's unsettled amount is at its maximum.
    #[error("the unsettled amount would exceed {most} base units: repeat the request later")]
    Exposed {
        /// Base units.
        most: u64,
    },
    /// Error returned when the voucher may expire before it settles.
    #[error("the voucher expires at {given}: expected at least {earliest}")]
    ExpiresTooSoon {
        /// Unix seconds.
        given: i64,
        /// Unix seconds.
        earliest: i64,
    },
    /// Error returned when an amount exceeds 64 bits.
    #[error("an amount exceeds 2^64 - 1 base units")]
    AmountTooLarge,
}

impl LedgerError {
    /// Converts a license's own error.
    pub(super) fn from_license<E>(license: u16, error: E) -> Self
    where
        E: PartialEq + From<PaymentsError>,
    {
        let limits = [
            (PaymentsError::UnitCapExceeded, LicenseLimit::Units),
            (PaymentsError::DailyCapExceeded, LicenseLimit::Daily),
            (PaymentsError::RevenueCapExceeded, LicenseLimit::Revenue),
            (PaymentsError::LicenseExpired, LicenseLimit::Expired),
        ];
        let limit = limits.into_iter().find(|(cause, _)| E::from(*cause) == error);
        // The only other error is an overflow.
        limit.map_or(Self::AmountTooLarge, |(_, limit)| Self::LicenseLimit { license, limit })
    }
}

impl LicenseLimit {
    fn message(self) -> &'static str {
        match self {
            Self::Units => "its unit cap is reached",
            Self::Daily => "its daily cap is reached",
            Self::Revenue => "its revenue cap is reached",
            Self::Expired => "it has expired",
        }
    }
}
