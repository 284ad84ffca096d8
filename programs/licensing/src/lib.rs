//! Who made what, and on which terms.
//!
//! Creators register works with a split of what they earn and publish immutable, numbered
//! terms. No tokens rest in this program; `payments` reads its accounts and never writes them.
#![allow(missing_docs, reason = "Anchor's macros generate public items without docs")]

#[cfg(target_arch = "bpf")]
use sbf_builtins as _;

use anchor_lang::prelude::*;

pub mod bps;
pub mod certificate;
pub mod error;
pub mod event;
pub mod instructions;
pub mod license_right;
pub mod parent_right;
pub mod state;

pub use error::LicensingError;
use instructions::*;
pub use state::*;

declare_id!("7Wf1kQ8x2KDRjUynHQuNt3fPZRUBPvyRWwoF9BHfFfPo");

#[program]
pub mod licensing {
    use super::*;

    /// Creates the one `Config` of this deployment. Once, by whoever may upgrade the program.
    pub fn initialize(ctx: Context<Initialize>, args: InitializeArgs) -> Result<()> {
        handle_initialize(ctx, args)
    }

    /// Registers a work: its content digest, its split and the works it was made from.
    pub fn register_work<'info>(
        ctx: Context<'info, RegisterWork<'info>>,
        args: RegisterWorkArgs,
    ) -> Result<()> {
        handle_register_work(ctx, args)
    }

    /// Changes who decides disputes, and what they put at stake and how long they take.
    pub fn update_config(ctx: Context<UpdateConfig>, args: UpdateConfigArgs) -> Result<()> {
        handle_update_config(ctx, args)
    }

    /// Offers the config's authority to somebody; to nobody takes an offer back.
    pub fn offer_authority(ctx: Context<OfferAuthority>, to: Option<Pubkey>) -> Result<()> {
        handle_offer_authority(ctx, to)
    }

    /// Takes the authority that was offered.
    pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
        handle_accept_authority(ctx)
    }

    /// Publishes the next numbered version of a work's terms.
    pub fn publish_terms(ctx: Context<PublishTerms>, args: PublishTermsArgs) -> Result<()> {
        handle_publish_terms(ctx, args)
    }

    /// Lets somebody accept terms, or make a derivative under them, that ask for approval.
    pub fn grant_approval(ctx: Context<GrantApproval>, args: GrantApprovalArgs) -> Result<()> {
        handle_grant_approval(ctx, args)
    }

    /// Takes an approval back; its rent returns to who granted it.
    pub fn revoke_approval(ctx: Context<RevokeApproval>) -> Result<()> {
        handle_revoke_approval(ctx)
    }

    /// Offers a work to somebody; to nobody takes an offer back.
    pub fn offer_ownership(ctx: Context<OfferOwnership>, to: Option<Pubkey>) -> Result<()> {
        handle_offer_ownership(ctx, to)
    }

    /// Takes the work that was offered.
    pub fn accept_ownership(ctx: Context<AcceptOwnership>) -> Result<()> {
        handle_accept_ownership(ctx)
    }

    /// Proposes another split of a work.
    pub fn propose_split(ctx: Context<ProposeSplit>, args: ProposeSplitArgs) -> Result<()> {
        handle_propose_split(ctx, args)
    }

    /// Adds the next recipients to a proposed split.
    pub fn extend_split_change(ctx: Context<ExtendSplitChange>, shares: Vec<Share>) -> Result<()> {
        handle_extend_split_change(ctx, shares)
    }

    /// Agrees to a proposed split, as a recipient of the present one.
    pub fn approve_split_change(
        ctx: Context<ApproveSplitChange>,
        split_digest: [u8; 32],
    ) -> Result<()> {
        handle_approve_split_change(ctx, split_digest)
    }

    /// Makes a proposed split the work's, once all who lose by it agree.
    pub fn apply_split_change(ctx: Context<ApplySplitChange>) -> Result<()> {
        handle_apply_split_change(ctx)
    }

    /// Takes a proposed split back.
    pub fn cancel_split_change(ctx: Context<CancelSplitChange>) -> Result<()> {
        handle_cancel_split_change(ctx)
    }

    /// Withdraws a work for good: it takes no new licenses and derivatives.
    pub fn withdraw_work(ctx: Context<WithdrawWork>) -> Result<()> {
        handle_withdraw_work(ctx)
    }

    /// Claims somebody else's work, with a bond.
    pub fn open_dispute(ctx: Context<OpenDispute>, args: OpenDisputeArgs) -> Result<()> {
        handle_open_dispute(ctx, args)
    }

    /// Ends a dispute by the arbiter's verdict.
    pub fn decide_dispute(ctx: Context<DecideDispute>, verdict: Verdict) -> Result<()> {
        handle_decide_dispute(ctx, verdict)
    }

    /// Ends a dispute that the arbiter left undecided, as if it had been rejected.
    pub fn expire_dispute(ctx: Context<ExpireDispute>) -> Result<()> {
        handle_expire_dispute(ctx)
    }

    /// Ends a person's consent at an instant, or never; licenses accepted earlier keep theirs.
    pub fn set_consent_end(ctx: Context<SetConsentEnd>, expires_at: Option<i64>) -> Result<()> {
        handle_set_consent_end(ctx, expires_at)
    }

    /// Issues the work's one certificate, a Token Metadata NFT, to its owner.
    pub fn issue_certificate(ctx: Context<IssueCertificate>, name: String) -> Result<()> {
        handle_issue_certificate(ctx, name)
    }
}
