//! Errors of the licensing program.

/// Errors of the licensing program, by code. Extend a band; a code is never renumbered and never
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
pub enum LicensingError {
    // 6000-6099: the caller can correct the call.
    #[error("invalid number of recipients: a split has 1 to 32")]
    InvalidSplitSize = 6000,
    #[error("invalid split: the shares must add up to exactly 10,000 basis points")]
    InvalidSplitTotal,
    #[error("empty share: every recipient of a split needs a share above zero")]
    EmptyShare,
    #[error("duplicate recipient: a split names each recipient once; add its shares up")]
    DuplicateRecipient,
    #[error("too many parents: a work has at most 8")]
    TooManyParents,
    #[error("duplicate parent: a work names each parent once; add its shares up")]
    DuplicateParent,
    #[error("invalid parents' shares: together they must not exceed 10,000 basis points")]
    InvalidParentShares,
    #[error(
        "invalid parent accounts: pass for each parent, in order, its work, then its owner as signer or its terms, then the approval or the channel with the license if the right needs one"
    )]
    InvalidParentAccounts,
    #[error(
        "derivatives forbidden by the parent's terms: only the signature of the parent's owner allows one"
    )]
    DerivativesForbidden,
    #[error("missing approval: the parent's owner must approve this derivative or sign")]
    MissingApproval,
    #[error("parent share too small: the parent's terms require a larger one")]
    ParentShareTooSmall,
    #[error("outdated terms: pass the parent's latest terms")]
    NotLatestTerms,
    #[error("URI too long: at most 200 bytes")]
    UriTooLong,
    #[error("empty content digest: expected the SHA-256 of the content")]
    EmptyDigest,
    #[error("missing consent: a voice or likeness needs the signature of the person's consent key")]
    MissingConsent,
    #[error("invalid number of uses: terms have 1 to 8")]
    InvalidUseCount,
    #[error("duplicate use: terms price each use once")]
    DuplicateUse,
    #[error("invalid period: terms must expire after `valid_from` and in the future")]
    InvalidTermsPeriod,
    #[error("invalid derivative share: at most 10,000 basis points")]
    InvalidDerivativeShare,
    #[error("empty cap: a cap must be above zero; omit it for no limit")]
    EmptyCap,
    #[error("owner mismatch: only the owner of the work may do this")]
    NotOwner,
    #[error("upgrade authority mismatch: only the program's upgrade authority may initialize it")]
    NotUpgradeAuthority,
    #[error("notice period too long: at most 366 days")]
    NoticeTooLong,
    #[error("authority mismatch: only the config's authority may do this")]
    NotAuthority,
    #[error("arbiter mismatch: only the config's arbiter decides disputes")]
    NotArbiter,
    #[error("no offer to this account: it was never made, or it was withdrawn")]
    NotOffered,
    #[error("invalid dispute period: 1 to 60 days")]
    InvalidDisputeLength,
    #[error("bond too small: at least the rent-exempt minimum of an empty account")]
    BondTooSmall,
    #[error("invalid claimant: the owner of a work cannot dispute it")]
    OwnerCannotDispute,
    #[error("consenting person mismatch: only the person who consented may change the expiry")]
    NotConsentingPerson,
    #[error("invalid consent expiry: it must be in the future")]
    InvalidConsentEnd,
    #[error("missing model: a style model needs its base model and its training root")]
    MissingModel,
    #[error("unexpected model: only a style model has a base model or replaces another")]
    UnexpectedModel,
    #[error("invalid base model name: 1 to 64 bytes")]
    InvalidBaseModelName,
    #[error("invalid previous model: it must be a style model that the creator owns")]
    InvalidPreviousModel,
    #[error("terms outlive the parents': they must expire no later than the parents' terms")]
    TermsOutliveParent,
    #[error(
        "terms not share-alike: a parent's terms require derivatives allowed, share-alike and without approval"
    )]
    NotShareAlike,
    #[error("commercial terms not allowed: a parent's terms are non-commercial")]
    ParentNotCommercial,
    #[error("license not found: the channel has none at this index")]
    LicenseNotFound,
    #[error("license payer mismatch: the creator must be the payer of the license's channel")]
    LicensePayerMismatch,
    #[error("license terms mismatch: the license is of another work or of other terms")]
    LicenseTermsMismatch,
    #[error("unused license: settle at least one unit of it first")]
    LicenseUnused,
    #[error("incomplete split: it has fewer recipients than announced")]
    SplitIncomplete,
    #[error("split digest mismatch: the proposed split has changed; read it again")]
    SplitDigestMismatch,
    #[error("recipient not found: the account is not in the work's current split")]
    RecipientNotFound,
    #[error("missing approval: every recipient whose share falls must approve")]
    MissingRecipientApproval,
    #[error("invalid certificate name: 1 to 32 bytes")]
    InvalidCertificateName,
    #[error("inherited conditions end early: terms could not last until `min_expires_at`")]
    InheritedEndTooEarly,
    #[error("title too long: at most 64 bytes of UTF-8")]
    TitleTooLong,
    #[error("invalid title: it has a control or bidirectional formatting character")]
    InvalidTitle,
    #[error("bond above maximum: the config's bond exceeds `max_bond`")]
    BondAboveMaximum,
    #[error("invalid operators: terms name at most 4, each once")]
    InvalidOperators,

    // 6100-6199: the call may succeed at another time.
    #[error("parent not active: it takes no new derivatives")]
    ParentNotActive = 6100,
    #[error("work not active: it was withdrawn")]
    WorkNotActive,
    #[error("terms not valid now: see `valid_from` and `expires_at` of the parent's terms")]
    TermsNotValidNow,
    #[error("work disputed: retry after the dispute has ended")]
    WorkDisputed,
    #[error("parent disputed: retry after the dispute has ended")]
    ParentDisputed,
    #[error("consent expired: the work offers no new terms or licenses")]
    ConsentEnded,
    #[error("parent's consent expired: it takes no new derivatives")]
    ParentConsentEnded,
    #[error("license expired: it allows no new derivatives")]
    LicenseEnded,
    #[error("stale split change: the work's split or owner has changed; propose it again")]
    StaleSplitChange,
    #[error("dispute overdue: its deadline has passed; anyone may expire it")]
    DisputeOverdue,
    #[error("dispute open: it expires after its deadline")]
    DisputeOpen,
    #[error("split change expired: its last second has passed; propose it again")]
    SplitChangeExpired,
    #[error(
        "work changed: its status, terms or split differ from what was expected; read it again"
    )]
    WorkChanged,
    #[error("hearing open: a claim is upheld at the earliest 12 hours after it was made")]
    HearingOpen,

    // 6900-6999: a defect of the program.
    #[error("counter overflow: please report this")]
    CounterOverflow = 6900,
}

impl LicensingError {
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

impl From<LicensingError> for u32 {
    fn from(error: LicensingError) -> Self {
        error.code()
    }
}
