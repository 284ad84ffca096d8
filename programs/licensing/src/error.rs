//! What can be wrong with a call, and what would be right.

use anchor_lang::prelude::*;

/// Clients match on these codes: extend a band; never renumber, never reuse.
#[error_code]
pub enum LicensingError {
    // Caller can fix: 6000-6099.
    #[msg("a split needs 1 to 32 recipients")]
    SplitSize = 0,
    #[msg("the shares of a split must add up to exactly 10,000 basis points")]
    SplitTotal,
    #[msg("every recipient of a split needs a share above zero")]
    EmptyShare,
    #[msg("a recipient may stand in a split only once; add its shares up")]
    RecipientTwice,
    #[msg("a work has at most 8 parents")]
    TooManyParents,
    #[msg("a parent may be named only once; add its shares up")]
    ParentTwice,
    #[msg("the parents' shares must not exceed 10,000 basis points")]
    ParentShares,
    #[msg(
        "pass for each parent, in order: the parent's work, then its owner's signature or its latest terms"
    )]
    ParentAccounts,
    #[msg("this parent forbids derivatives; only its owner's signature can allow one")]
    DerivativesForbidden,
    #[msg("this parent allows derivatives with approval; its owner must sign")]
    ApprovalMissing,
    #[msg("this parent's terms ask for a larger share of the derivative's earnings")]
    ParentShareTooSmall,
    #[msg("these are not the parent's latest terms")]
    NotLatestTerms,
    #[msg("a URI has at most 200 bytes")]
    UriTooLong,
    #[msg("the content digest must be the SHA-256 of the content, not zeros")]
    EmptyDigest,
    #[msg("a voice needs the signature of the person's consent key")]
    ConsentMissing,
    #[msg("terms need 1 to 8 uses")]
    UseCount,
    #[msg("a use may be priced only once in one version of terms")]
    UseTwice,
    #[msg("terms must expire after they become valid, and in the future")]
    ExpiryInThePast,
    #[msg("the parents' share of a derivative must not exceed 10,000 basis points")]
    DerivativeShare,
    #[msg("a cap of zero licenses nothing; leave it out or raise it")]
    EmptyCap,
    #[msg("only the owner of the work may do this")]
    NotOwner,
    #[msg("only the authority that may upgrade this program may initialise it")]
    NotUpgradeAuthority,
    #[msg("the notice period is at most 366 days")]
    NoticeTooLong,

    // Wrong moment: 6100-6199.
    #[msg("this parent is not active; it takes no new derivatives")]
    ParentNotActive = 100,
    #[msg("this work is not active; it publishes no terms")]
    WorkNotActive,
    #[msg("the parent's terms are not valid at this time")]
    TermsNotValidNow,

    // Our bug: 6900-6999.
    #[msg("a counter overflowed; please report this")]
    CounterOverflow = 900,
}
