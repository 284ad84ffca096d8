//! Licensing: works, their terms and splits.
//!
//! Creators register works with a split of their earnings and publish immutable, numbered terms.
//! The program holds no tokens; `payments` reads its accounts and never writes them. Account
//! types, errors and instruction builders are in `motif-interface`.
//!
//! # Account validation
//!
//! Anchor checks owner and discriminator of every typed account. `init` derives the address from
//! seeds once and stores the bump; only `init` creates accounts of a type, so a valid account of
//! this program is at its derived address and later instructions do not derive it again. Relations
//! between accounts are checked by `has_one`, or by the handler where a comment says so.
#![allow(missing_docs, reason = "Anchor's macros generate public items without docs")]

use anchor_lang::prelude::*;
#[cfg(target_arch = "bpf")]
use sbf_builtins as _;

pub use motif_interface::licensing::{
    AcceptOwnershipArgs, Approval, Award, CERTIFICATE_SEED, Caps, Config, Consent, Derivatives,
    Dispute, Fingerprint, GrantApprovalArgs, Inherited, InitializeArgs, LicensingError,
    MAX_RECIPIENTS, Model, ModelDeclaration, Offer, OpenDisputeArgs, Parent, ParentDeclaration,
    ParentRight, ProposeSplitArgs, PublishTermsArgs, Purpose, RegisterWorkArgs, Share, SplitChange,
    Terms, Unit, UpdateConfigArgs, UpdateMetadataArgs, Use, UsePrice, Verdict, Work, WorkHead,
    WorkKind, WorkStatus,
};

pub mod certificate;
pub mod event;
pub mod instructions;
pub mod license_right;
pub mod parent_right;

use instructions::*;

declare_id!("7Wf1kQ8x2KDRjUynHQuNt3fPZRUBPvyRWwoF9BHfFfPo");

#[cfg(not(feature = "no-entrypoint"))]
motif_interface::security_txt!("Motif licensing");

#[program]
pub mod licensing {
    use super::*;

    /// Creates the deployment's one `Config`. Signed by the program's upgrade authority.
    pub fn initialize(ctx: Context<Initialize>, args: InitializeArgs) -> Result<()> {
        handle_initialize(ctx, args)
    }

    /// Registers a work with its content digest, its split and its parents.
    pub fn register_work<'info>(
        ctx: Context<'info, RegisterWork<'info>>,
        args: RegisterWorkArgs,
    ) -> Result<()> {
        handle_register_work(ctx, args)
    }

    /// Replaces a work's title and metadata.
    pub fn update_metadata(ctx: Context<UpdateMetadata>, new: UpdateMetadataArgs) -> Result<()> {
        handle_update_metadata(ctx, new)
    }

    /// Changes the arbiter, bond and length of disputes.
    pub fn update_config(ctx: Context<UpdateConfig>, args: UpdateConfigArgs) -> Result<()> {
        handle_update_config(ctx, args)
    }

    /// Offers the config's authority to a key; `None` revokes an offer.
    pub fn offer_authority(ctx: Context<OfferAuthority>, to: Option<Pubkey>) -> Result<()> {
        handle_offer_authority(ctx, to)
    }

    /// Accepts an offered authority.
    pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
        handle_accept_authority(ctx)
    }

    /// Publishes the next version of a work's terms.
    pub fn publish_terms(ctx: Context<PublishTerms>, args: PublishTermsArgs) -> Result<()> {
        handle_publish_terms(ctx, args)
    }

    /// Permits a grantee to accept terms, or to register a derivative under them, that require
    /// approval.
    pub fn grant_approval(ctx: Context<GrantApproval>, args: GrantApprovalArgs) -> Result<()> {
        handle_grant_approval(ctx, args)
    }

    /// Closes an approval; its rent returns to the key that granted it.
    pub fn revoke_approval(ctx: Context<RevokeApproval>) -> Result<()> {
        handle_revoke_approval(ctx)
    }

    /// Offers a work to a key; `None` revokes an offer.
    pub fn offer_ownership(ctx: Context<OfferOwnership>, to: Option<Pubkey>) -> Result<()> {
        handle_offer_ownership(ctx, to)
    }

    /// Accepts an offered work, if its status, terms and split are as expected.
    pub fn accept_ownership(
        ctx: Context<AcceptOwnership>,
        expected: AcceptOwnershipArgs,
    ) -> Result<()> {
        handle_accept_ownership(ctx, expected)
    }

    /// Proposes a split of a work.
    pub fn propose_split(ctx: Context<ProposeSplit>, args: ProposeSplitArgs) -> Result<()> {
        handle_propose_split(ctx, args)
    }

    /// Adds the next recipients to a proposed split.
    pub fn extend_split_change(ctx: Context<ExtendSplitChange>, shares: Vec<Share>) -> Result<()> {
        handle_extend_split_change(ctx, shares)
    }

    /// Approves a proposed split as a recipient of the current one.
    pub fn approve_split_change(
        ctx: Context<ApproveSplitChange>,
        split_digest: [u8; 32],
    ) -> Result<()> {
        handle_approve_split_change(ctx, split_digest)
    }

    /// Removes a recipient's approval of the proposed split.
    pub fn revoke_split_approval(ctx: Context<RevokeSplitApproval>) -> Result<()> {
        handle_revoke_split_approval(ctx)
    }

    /// Replaces a work's split by the proposed one, after every recipient whose share falls has
    /// approved. Permissionless.
    pub fn apply_split_change(ctx: Context<ApplySplitChange>) -> Result<()> {
        handle_apply_split_change(ctx)
    }

    /// Closes a proposed split.
    pub fn cancel_split_change(ctx: Context<CancelSplitChange>) -> Result<()> {
        handle_cancel_split_change(ctx)
    }

    /// Withdraws a work permanently: it takes no new licenses and derivatives.
    pub fn withdraw_work(ctx: Context<WithdrawWork>) -> Result<()> {
        handle_withdraw_work(ctx)
    }

    /// Claims the ownership of a work and deposits a bond.
    pub fn open_dispute(ctx: Context<OpenDispute>, args: OpenDisputeArgs) -> Result<()> {
        handle_open_dispute(ctx, args)
    }

    /// Ends a dispute by the arbiter's verdict; a claim is upheld only after the hearing.
    pub fn decide_dispute(ctx: Context<DecideDispute>, verdict: Verdict) -> Result<()> {
        handle_decide_dispute(ctx, verdict)
    }

    /// Rejects a dispute after its deadline. Permissionless.
    pub fn expire_dispute(ctx: Context<ExpireDispute>) -> Result<()> {
        handle_expire_dispute(ctx)
    }

    /// Sets the expiry of a person's consent; `None` for no expiry. Accepted licenses keep theirs.
    pub fn set_consent_end(ctx: Context<SetConsentEnd>, expires_at: Option<i64>) -> Result<()> {
        handle_set_consent_end(ctx, expires_at)
    }

    /// Issues a work's one certificate, a Token Metadata NFT, to its owner.
    pub fn issue_certificate(ctx: Context<IssueCertificate>, name: String) -> Result<()> {
        handle_issue_certificate(ctx, name)
    }
}

#[cfg(all(test, feature = "idl-build"))]
#[test]
fn __anchor_private_print_idl_error_licensing_error() {
    motif_interface::idl::print_errors::<LicensingError>();
}
