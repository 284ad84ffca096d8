//! What can be wrong with a call, and what would be right.

use anchor_lang::prelude::*;

/// Clients match on these codes: extend a band; never renumber, never reuse.
#[error_code]
pub enum LicensingError {
    // Caller can fix: 6000-6099.
    #[msg("a split needs 1 to 32 recipients")]
    InvalidSplitSize = 0,
    #[msg("the shares of a split must add up to exactly 10,000 basis points")]
    InvalidSplitTotal,
    #[msg("every recipient of a split needs a share above zero")]
    EmptyShare,
    #[msg("a recipient may stand in a split only once; add its shares up")]
    DuplicateRecipient,
    #[msg("a work has at most 8 parents")]
    TooManyParents,
    #[msg("a parent may be named only once; add its shares up")]
    DuplicateParent,
    #[msg("the parents' shares must not exceed 10,000 basis points")]
    ParentShares,
    #[msg(
        "pass for each parent, in order: its work, then its owner's signature or its terms, then the approval or the channel with the license, where that is the right"
    )]
    InvalidParentAccounts,
    #[msg("these terms forbid derivatives; only the signature of the parent's owner allows one")]
    DerivativesForbidden,
    #[msg("these terms allow derivatives with approval; the parent's owner must approve or sign")]
    MissingApproval,
    #[msg("this parent's terms ask for a larger share of the derivative's earnings")]
    ParentShareTooSmall,
    #[msg("these are not the parent's latest terms")]
    NotLatestTerms,
    #[msg("a URI has at most 200 bytes")]
    UriTooLong,
    #[msg("the content digest must be the SHA-256 of the content, not zeros")]
    EmptyDigest,
    #[msg("a voice or a likeness needs the signature of the person's consent key")]
    MissingConsent,
    #[msg("terms need 1 to 8 uses")]
    InvalidUseCount,
    #[msg("a use may be priced only once in one version of terms")]
    DuplicateUse,
    #[msg("terms must expire after they become valid, and in the future")]
    InvalidTermsPeriod,
    #[msg("the parents' share of a derivative must not exceed 10,000 basis points")]
    InvalidDerivativeShare,
    #[msg("a cap of zero licenses nothing; leave it out or raise it")]
    EmptyCap,
    #[msg("only the owner of the work may do this")]
    NotOwner,
    #[msg("only the authority that may upgrade this program may initialise it")]
    NotUpgradeAuthority,
    #[msg("the notice period is at most 366 days")]
    NoticeTooLong,
    #[msg("only the config's authority may do this")]
    NotAuthority,
    #[msg("only the arbiter decides disputes")]
    NotArbiter,
    #[msg("this was not offered to you, or the offer was taken back")]
    NotOffered,
    #[msg("a dispute may take 1 to 60 days")]
    InvalidDisputeLength,
    #[msg("the bond must be at least the rent of an empty account, or it could not be paid out")]
    BondTooSmall,
    #[msg("the owner of a work cannot dispute it")]
    OwnerCannotDispute,
    #[msg("only the person who consented may change the consent's end")]
    NotConsentingPerson,
    #[msg("a consent must end in the future")]
    InvalidConsentEnd,
    #[msg("a style model must say what it adapts and what it was trained on")]
    MissingModel,
    #[msg("only a style model says what it adapts and which model it replaces")]
    UnexpectedModel,
    #[msg("name the base model in 1 to 64 bytes")]
    InvalidBaseModelName,
    #[msg("the previous model must be a style model that the creator owns")]
    InvalidPreviousModel,
    #[msg("the parents' terms end; these must end no later")]
    TermsOutliveParent,
    #[msg(
        "a parent's terms are share-alike; these must allow derivatives, share alike, and need no approval"
    )]
    NotShareAlike,
    #[msg("a parent's terms are non-commercial; these must be too")]
    ParentNotCommercial,
    #[msg("the channel has no license at this index")]
    LicenseNotFound,
    #[msg("the license is on another payer's channel; the creator must be its payer")]
    LicensePayerMismatch,
    #[msg("the license is of another work, or of other terms")]
    LicenseTermsMismatch,
    #[msg("no unit of the license has been settled yet; use it first")]
    LicenseUnused,
    #[msg("the split is not complete: it has fewer recipients than were announced")]
    SplitIncomplete,
    #[msg("the proposed split is another one than you read; read it again")]
    SplitDigestMismatch,
    #[msg("this account is no recipient of the work's present split")]
    RecipientNotFound,
    #[msg("a recipient whose share falls has not approved")]
    MissingRecipientApproval,
    #[msg("a certificate's name has 1 to 32 bytes")]
    InvalidCertificateName,

    // Wrong moment: 6100-6199.
    #[msg("this parent is not active; it takes no new derivatives")]
    ParentNotActive = 100,
    #[msg("this work was withdrawn; it offers nothing new")]
    WorkNotActive,
    #[msg("the parent's terms are not valid at this time")]
    TermsNotValidNow,
    #[msg("this work is disputed; wait for the verdict")]
    WorkDisputed,
    #[msg("this parent is disputed; wait for the verdict")]
    ParentDisputed,
    #[msg("the person's consent has ended; the work offers nothing new")]
    ConsentEnded,
    #[msg("the consent for this parent has ended; it takes no new derivatives")]
    ParentConsentEnded,
    #[msg("the license has ended; it allows no derivatives any more")]
    LicenseEnded,
    #[msg("the work's split or owner changed since this was proposed; propose it again")]
    StaleSplitChange,
    #[msg("the arbiter's time has run out; anybody may expire the dispute")]
    DisputeOverdue,
    #[msg("the arbiter may still decide; the dispute expires after its deadline")]
    DisputeOpen,

    // Our bug: 6900-6999.
    #[msg("a counter overflowed; please report this")]
    CounterOverflow = 900,
}
