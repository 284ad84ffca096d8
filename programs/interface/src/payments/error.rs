//! Errors of the payments program.

/// Errors of the payments program, by code. Extend a band; a code is never renumbered and never
/// reused.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    thiserror::Error,
    strum::FromRepr,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[repr(u32)]
#[allow(missing_docs, reason = "each variant's message describes it")]
pub enum PaymentsError {
    // 6000-6099: the caller can correct the call.
    #[error("unsupported mint extension: it could take, block or shrink transfers")]
    UnsupportedMintExtension = 6000,
    #[error("empty deposit: a channel opens with a deposit above zero")]
    EmptyDeposit,
    #[error("operator fee too high: at most 5,000 basis points")]
    FeeTooHigh,
    #[error("invalid grace period: 15 minutes to 30 days")]
    InvalidGracePeriod,
    #[error(
        "invalid voucher key: it must be a point on the Ed25519 curve and differ from the payer's key"
    )]
    InvalidVoucherKey,
    #[error("payer mismatch: the channel's payer must sign")]
    NotPayer,
    #[error("operator mismatch: the authority of the operator's account must sign")]
    NotOperator,
    #[error("outdated terms: pass the work's latest terms")]
    NotLatestTerms,
    #[error("use not licensed: the terms have no price for it")]
    UseNotLicensed,
    #[error("price above maximum: the terms' price exceeds `max_price`")]
    PriceAboveMaximum,
    #[error("terms digest mismatch: the terms account differs from the one read; read it again")]
    TermsDigestMismatch,
    #[error("currency mismatch: the terms and the channel have different mints")]
    CurrencyMismatch,
    #[error("missing approval: the terms need the signature or an approval of the work's owner")]
    MissingApproval,
    #[error(
        "invalid issuance account: pass it for terms with a shared cap, and omit it for others"
    )]
    InvalidIssuanceAccount,
    #[error("empty quota: request a quota above zero")]
    EmptyQuota,
    #[error("quota exceeds cap: the terms' cap has less left")]
    QuotaExceedsCap,
    #[error("too many licenses: a channel holds at most 10,000")]
    TooManyLicenses,
    #[error("insufficient deposit: the channel would owe more than was deposited; top it up")]
    InsufficientDeposit,
    #[error(
        "missing voucher proof: the Ed25519 instruction must directly precede this one, with one signature and canonical offsets"
    )]
    MissingVoucherProof,
    #[error("not a top-level instruction: the transaction itself must call this, not a program")]
    NotTopLevelInstruction,
    #[error("voucher signer mismatch: expected the channel's voucher key")]
    VoucherSignerMismatch,
    #[error("voucher channel mismatch: it names another channel, program, cluster or opened slot")]
    VoucherChannelMismatch,
    #[error("voucher statement mismatch: expected the channel's current statement number")]
    VoucherStatementMismatch,
    #[error("statement digest mismatch: the voucher signs another statement")]
    StatementDigestMismatch,
    #[error(
        "invalid statement: expected 6-byte entries (license u16, units u32), licenses ascending and unique, units above zero"
    )]
    InvalidStatement,
    #[error("license not found: the channel has none at this index")]
    LicenseNotFound,
    #[error(
        "voucher total mismatch: expected all prices and fees since opening, including this statement"
    )]
    VoucherTotalMismatch,
    #[error("receipts sum mismatch: expected the sum of the statement's prices")]
    ReceiptsSumMismatch,
    #[error("unit cap exceeded: the license has fewer units left")]
    UnitCapExceeded,
    #[error("daily cap exceeded: the license has fewer units left for these days")]
    DailyCapExceeded,
    #[error("revenue cap exceeded: the license has less revenue left")]
    RevenueCapExceeded,
    #[error(
        "invalid earnings accounts: pass for each license or share, in the same order, the earnings of its work"
    )]
    InvalidEarningsAccounts,
    #[error("nothing to collect: the licenses have no new credit")]
    NothingToCollect,
    #[error("parent not found: the account is not a parent of this work in this currency")]
    ParentNotFound,
    #[error("recipient not found: the account is not a recipient of the work")]
    RecipientNotFound,
    #[error(
        "destination not canonical: without the recipient's signature, expected its associated token account"
    )]
    DestinationNotCanonical,
    #[error("nothing to claim: all entitlements are paid")]
    NothingToClaim,
    #[error("empty amount: pass an amount above zero")]
    EmptyAmount,
    #[error("quota too large: the price of all its units exceeds the range of amounts")]
    QuotaTooLarge,
    #[error(
        "invalid licensee account: pass it for terms with free units or caps per licensee, and omit it for others"
    )]
    InvalidLicenseeAccount,
    #[error("already licensed: these terms allow one license per payer and use")]
    AlreadyLicensed,
    #[error("invalid destinations: pass one for each payee, in the same order")]
    InvalidDestinations,
    #[error("invalid destination: the vault's own token account cannot be paid")]
    DestinationIsVault,
    #[error("split unchanged: the earnings already follow the work's current split")]
    SplitUnchanged,
    #[error("too many parties: the earnings account has no room; pay former recipients first")]
    TooManyParties,
    #[error("invalid work accounts: pass for each license or share its work, in the same order")]
    InvalidWorkAccounts,
    #[error("no quota: the license holds no part of a shared cap")]
    NoQuota,
    #[error("empty till: nothing to sweep")]
    EmptyTill,
    #[error(
        "invalid buffer part: it must start at or before the end of what is written and end within 27,000 bytes"
    )]
    InvalidBufferPart,
    #[error("license terms mismatch: expected the terms of the license")]
    LicenseTermsMismatch,
    #[error("dispute already applied: the earnings follow it")]
    DisputeApplied,
    #[error(
        "invalid deposit accounts: pass them for terms with an upfront fee or a shared cap, and omit them for others"
    )]
    InvalidDepositAccounts,
    #[error("license ends early: it would expire before `min_expires_at`")]
    LicenseEndsEarly,
    #[error(
        "invalid operator account: expected the account of the operator that the channel or the till names"
    )]
    InvalidOperatorAccount,
    #[error("operator fee too low: the operator asks for more; see `fee_bps` of its account")]
    FeeTooLow,
    #[error(
        "grace period too short: the operator asks for more; see `min_grace_seconds` of its account"
    )]
    GracePeriodTooShort,
    #[error("operator not named: the terms can be accepted towards the operators they name only")]
    OperatorNotNamed,
    #[error("url too long: at most 128 bytes")]
    UrlTooLong,
    #[error(
        "invalid till shares: 1 to 8 works, ascending and unique, with parts above zero in lowest terms, and an operator exactly if it has parts"
    )]
    InvalidTillShares,

    // 6100-6199: the call may succeed at another time.
    #[error("channel closing: it takes no new licenses and no top-ups")]
    ChannelClosing = 6100,
    #[error("channel closed: it settles no more vouchers")]
    ChannelClosed,
    #[error("channel still open: withdraw after the grace period")]
    ChannelStillOpen,
    #[error("already withdrawn: the payer has received the rest of the deposit")]
    AlreadyWithdrawn,
    #[error("work not active: it takes no new licenses")]
    WorkNotActive,
    #[error("terms not valid now: see `valid_from` and `expires_at` of the terms")]
    TermsNotValidNow,
    #[error("license expired: the work's latest terms give a new license")]
    LicenseExpired,
    #[error("voucher expired: the payer signs a new one with a later expiry")]
    VoucherExpired,
    #[error(
        "settler not allowed: the operator's settle key settles, and the channel's watcher in the second half of the grace period"
    )]
    SettlerNotAllowed,
    #[error("earnings disputed: the split stays until the dispute has ended")]
    EarningsDisputed,
    #[error("split not applied: the work's split has changed; call `apply_split` first")]
    SplitNotApplied,
    #[error("consent expired: the work takes no new licenses")]
    ConsentEnded,
    #[error("work not withdrawn")]
    WorkNotWithdrawn,
    #[error(
        "license in use: until it expires or the channel closes, payer and operator must both sign"
    )]
    LicenseInUse,
    #[error("not withdrawn: the payer must withdraw first")]
    NotWithdrawn,
    #[error("channel not empty: collect all credit and claim all fees first")]
    ChannelNotEmpty,
    #[error("quotas held: release the licenses' parts of shared caps first")]
    QuotasHeld,
    #[error("slot not elapsed: a channel closes in a later slot than it opened in")]
    SlotNotElapsed,
    #[error("work not disputed")]
    WorkNotDisputed,
    #[error("dispute not applied: call `apply_dispute` first")]
    DisputeNotApplied,

    // 6900-6999: a defect of the program.
    #[error("amount overflow: please report this")]
    Overflow = 6900,
    #[error("charged above deposit: please report this")]
    ChargedAboveDeposit,
    #[error("collected above charged: please report this")]
    CollectedAboveCharged,
    #[error("invalid channel data: please report this")]
    InvalidChannelData,
    #[error("statement limit reached: open a new channel")]
    StatementLimitReached,
    #[error("invalid earnings data: please report this")]
    InvalidEarningsData,
    #[error("invalid statement buffer data: please report this")]
    InvalidStatementBuffer,
}

impl PaymentsError {
    /// Returns the error code that clients receive.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// Returns the variant's name.
    #[inline(never)] // one copy in the bytecode
    pub fn name(self) -> String {
        <&str>::from(self).to_owned()
    }
}

impl From<PaymentsError> for u32 {
    fn from(error: PaymentsError) -> Self {
        error.code()
    }
}
