use motif_sdk::channel::PaymentsError;

/// Which of a license's limits refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenseLimit {
    /// Units in total.
    Units,
    /// Units a day.
    Daily,
    /// Prices in total.
    Revenue,
    /// The license is over.
    Expired,
}

/// Why a ledger does not take a generation; it is then as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payer has started closing.
    #[error("the channel is closing; it takes no new generations")]
    ChannelClosing,
    /// The payer is changing the key that signs its vouchers.
    #[error(
        "the channel's voucher key changes at {rotates_at}; sign with the new one from then on"
    )]
    VoucherKeyRotating {
        /// Unix seconds on chain.
        rotates_at: i64,
    },
    /// The voucher's statement was cut.
    #[error("the voucher's statement is closed; sign for the next one")]
    StatementClosed,
    /// The voucher's statement has not begun.
    #[error("the voucher is for a statement that has not begun; the open one is {open}")]
    StatementAhead {
        /// The open statement's number.
        open: u64,
    },
    /// Zero units.
    #[error("a generation uses at least one unit")]
    NoUnits,
    /// The channel has no such license.
    #[error("the channel has no license {0}")]
    LicenseNotFound(u16),
    /// The open statement cannot state this as well.
    #[error("the open statement is full; it settles first")]
    StatementFull,
    /// A limit of the license.
    #[error("license {license}: {}", limit.says())]
    LicenseLimit {
        /// Index of the license.
        license: u16,
        /// Which limit.
        limit: LicenseLimit,
    },
    /// The license ends before this could be settled.
    #[error("the license ends at {expires_at}, too soon to settle this")]
    LicenseEnding {
        /// Unix seconds.
        expires_at: i64,
    },
    /// The total is not what the licenses' prices make it.
    #[error("the voucher's total is {given} and must be {expected}")]
    WrongPrice {
        /// Base units.
        given: u64,
        /// Base units.
        expected: u64,
    },
    /// The voucher covers nothing new.
    #[error("the voucher's total {given} covers nothing beyond the newest one, {current}")]
    NotNewer {
        /// Base units.
        given: u64,
        /// Base units.
        current: u64,
    },
    /// Total as it should be, for other units.
    #[error("the voucher signs for other units than the open statement and this generation")]
    StatementMismatch,
    /// The deposit does not cover it.
    #[error("the total would be {needed}, and the channel's deposit covers {spendable}; top it up")]
    Underfunded {
        /// Base units.
        needed: u64,
        /// Base units.
        spendable: u64,
    },
    /// The operator serves the channel up to a lower total.
    #[error("the total would be {needed}, and the channel's budget at this gateway is {budget}")]
    OverBudget {
        /// Base units.
        needed: u64,
        /// Base units.
        budget: u64,
    },
    /// No hold of this name, or none any more.
    #[error("there is no such hold: it was captured, released, or has expired")]
    UnknownHold,
    /// More than was held.
    #[error("the hold is for {held} units at most")]
    HoldExceeded {
        /// Units.
        held: u32,
    },
    /// Too many holds are open.
    #[error("the channel has as many open holds as it may; capture or release some")]
    HoldsFull,
    /// Something has to settle first.
    #[error("what was used must settle by {by}, and has not yet; ask again when it has")]
    SettlementDue {
        /// Unix seconds.
        by: i64,
    },
    /// Too much waits for settlement.
    #[error("{most} base units may wait for settlement on a channel; ask again when some has")]
    Exposed {
        /// Base units.
        most: u64,
    },
    /// The voucher would expire before it is sure to be settled.
    #[error("the voucher expires at {given}; it must be valid until {earliest} at least")]
    ExpiresTooSoon {
        /// Unix seconds.
        given: i64,
        /// Unix seconds.
        earliest: i64,
    },
    /// More than 64 bits hold.
    #[error("an amount exceeds 2^64 - 1 base units")]
    AmountTooLarge,
}

impl Refusal {
    /// The refusal behind a license's own error.
    pub(super) fn limit<E>(license: u16, error: E) -> Self
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
        // The one error left is that an amount overflows.
        limit.map_or(Self::AmountTooLarge, |(_, limit)| Self::LicenseLimit { license, limit })
    }
}

impl LicenseLimit {
    fn says(self) -> &'static str {
        match self {
            Self::Units => "its units are used up",
            Self::Daily => "its units for these days are used up",
            Self::Revenue => "its revenue cap is reached",
            Self::Expired => "it has expired",
        }
    }
}
