//! What can be wrong with a call, and what would be right.

use anchor_lang::prelude::*;

/// Clients match on these codes: extend a band; never renumber, never reuse.
#[error_code]
pub enum PaymentsError {
    // Caller can fix: 6000-6099.
    #[msg("this mint has an extension that could take or block money; use a plain one")]
    MintNotPlain = 0,
    #[msg("a channel opens with a deposit above zero")]
    EmptyDeposit,
    #[msg("an operator's fee is at most 5,000 basis points")]
    FeeTooHigh,
    #[msg("the grace period must be between 15 minutes and 30 days")]
    GraceOutOfRange,
    #[msg("the voucher key must be a point on the curve, and not the payer's own key")]
    InvalidVoucherKey,
    #[msg("only the payer may do this")]
    NotPayer,
    #[msg("only the operator may do this")]
    NotOperator,
    #[msg("these terms are not the work's latest")]
    NotLatestTerms,
    #[msg("these terms do not license this use")]
    UseNotLicensed,
    #[msg("the terms' price is above your maximum")]
    PriceAboveMaximum,
    #[msg("the terms are not the ones you read; read them again")]
    TermsDigestMismatch,
    #[msg("the terms are in another currency than the channel")]
    CurrencyMismatch,
    #[msg("these terms need the approval of the work's owner: its signature")]
    MissingApproval,
    #[msg("terms with a shared cap need their issuance account; others must not name one")]
    InvalidIssuanceAccount,
    #[msg("ask for a quota above zero")]
    EmptyQuota,
    #[msg("the quota asked for exceeds what the terms' cap has left")]
    QuotaExceedsCap,
    #[msg("the channel already has the most licenses it can hold")]
    TooManyLicenses,
    #[msg("what the channel owes would exceed its deposit; top it up")]
    InsufficientDeposit,
    #[msg(
        "put the voucher's Ed25519 instruction directly before `settle`, with one signature and every offset canonical"
    )]
    MissingVoucherProof,
    #[msg("`settle` must be called by the transaction itself, not by another program")]
    NotTopLevelInstruction,
    #[msg("the voucher is not signed by the channel's voucher key")]
    VoucherSignerMismatch,
    #[msg("the voucher is for another channel, program, cluster or incarnation")]
    VoucherChannelMismatch,
    #[msg("the voucher is for another statement than the channel's current one")]
    VoucherStatementMismatch,
    #[msg("the voucher's digest is not that of this statement")]
    StatementDigestMismatch,
    #[msg(
        "a statement is a list of 6-byte entries (license u16, units u32), each license once, in ascending order, units above zero"
    )]
    InvalidStatement,
    #[msg("the statement names a license the channel does not have")]
    LicenseNotFound,
    #[msg("the voucher's total is not what the statement's prices and the fee add up to")]
    VoucherTotalMismatch,
    #[msg("the sum of the receipts is not the sum of the prices")]
    ReceiptsSumMismatch,
    #[msg("the license's units are used up")]
    UnitCapExceeded,
    #[msg("the license's units for these days are used up")]
    DailyCapExceeded,
    #[msg("the revenue cap of the terms is reached")]
    RevenueCapExceeded,
    #[msg("pass for each license its work's earnings account, in the same order")]
    InvalidEarningsAccounts,
    #[msg("there is nothing to collect")]
    NothingToCollect,
    #[msg("the other account is not a parent of this work in this currency")]
    ParentNotFound,
    #[msg("this account is no recipient of the work")]
    RecipientNotFound,
    #[msg(
        "without the recipient's signature, payment goes only to its own associated token account"
    )]
    DestinationNotCanonical,
    #[msg("there is nothing to claim")]
    NothingToClaim,
    #[msg("pass an amount above zero")]
    EmptyAmount,
    #[msg("the channel's free deposit must cover the quota asked for; top it up or ask for less")]
    QuotaExceedsDeposit,
    #[msg(
        "terms with free units or caps per licensee need the payer's licensee account; others must not name one"
    )]
    InvalidLicenseeAccount,
    #[msg("the payer has its one license of this use of these terms already")]
    AlreadyLicensed,
    #[msg("pass one destination for each payee, in the same order")]
    InvalidDestinations,
    #[msg("the vault does not pay itself; name another destination")]
    DestinationIsVault,
    #[msg("the earnings stand at the work's present split already")]
    SplitUnchanged,
    #[msg("more parties are owed than earnings can hold; have former recipients paid first")]
    TooManyParties,
    #[msg("pass for each license its work, in the same order")]
    InvalidWorkAccounts,
    #[msg("the license holds no part of a shared cap")]
    NoQuota,
    #[msg("there is nothing to sweep")]
    EmptyTill,
    #[msg("a part of a statement begins at most where the last one ended, within 60,000 bytes")]
    InvalidBufferPart,
    #[msg("these are not the terms of the license")]
    LicenseTermsMismatch,
    #[msg("the earnings have been told of this dispute already")]
    DisputeApplied,

    // Wrong moment: 6100-6199.
    #[msg("the channel is closing; it takes no new licenses and no top-ups")]
    ChannelClosing = 100,
    #[msg("the channel is closed; it settles no more")]
    ChannelClosed,
    #[msg("the channel is not closed yet; withdraw when its grace period is over")]
    ChannelStillOpen,
    #[msg("the payer has withdrawn already")]
    AlreadyWithdrawn,
    #[msg("the work is not active; it takes no new licenses")]
    WorkNotActive,
    #[msg("the terms are not valid at this time")]
    TermsNotValidNow,
    #[msg("the license has expired")]
    LicenseExpired,
    #[msg("the voucher has expired")]
    VoucherExpired,
    #[msg("others than the operator may settle only in the second half of the grace period")]
    OperatorFirst,
    #[msg("the work is disputed; its split stays until the dispute is over")]
    EarningsDisputed,
    #[msg("the work's split has changed; call `apply_split` first")]
    SplitNotApplied,
    #[msg("the consent to this work has ended; it takes no new licenses")]
    ConsentEnded,
    #[msg("the work is not withdrawn")]
    WorkNotWithdrawn,
    #[msg("the license can still be used; only the operator may close it")]
    LicenseInUse,
    #[msg("the payer has not withdrawn yet")]
    NotWithdrawn,
    #[msg("collect all credit and claim all fees first")]
    ChannelNotEmpty,
    #[msg("licenses hold parts of shared caps; close them first")]
    QuotasHeld,
    #[msg("a channel closes in a later slot than it was opened in")]
    SlotNotElapsed,
    #[msg("the work is not disputed")]
    WorkNotDisputed,
    #[msg("the work is disputed; call `apply_dispute` first")]
    DisputeNotApplied,

    // Our bug: 6900-6999.
    #[msg("an amount overflowed; please report this")]
    Overflow = 900,
    #[msg("charged more than was deposited; please report this")]
    ChargedAboveDeposit,
    #[msg("collected more than was charged; please report this")]
    CollectedAboveCharged,
    #[msg("the channel account's bytes are not a channel; please report this")]
    InvalidChannelData,
    #[msg("more statements than a channel can record; open a new channel")]
    StatementLimitReached,
    #[msg("the earnings account's bytes are not earnings; please report this")]
    InvalidEarningsData,
    #[msg("the statement_buffer account's bytes are not a statement; please report this")]
    InvalidStatementBuffer,
}
