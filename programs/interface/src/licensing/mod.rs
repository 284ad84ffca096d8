//! Works and terms: instructions of the licensing program, and reading its accounts.

mod approval;
mod certificate;
mod config;
mod dispute;
mod split;
mod terms;
mod work;

use anchor_lang::{InstructionData, ToAccountMetas};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

pub use licensing::ID as PROGRAM_ID;
pub use licensing::{
    Approval, Caps, Config, Consent, Derivatives, Dispute, Fingerprint, Inherited, LicensingError,
    MAX_RECIPIENTS, Model, Offer, Parent, Purpose, Share, SplitChange, Terms, Unit, Use, UsePrice,
    Verdict, Work, WorkHead, WorkKind, WorkStatus,
    instructions::{
        GrantApprovalArgs, InitializeArgs, ModelArgs, OpenDisputeArgs, ProposeSplitArgs,
        PublishTermsArgs, RegisterWorkArgs, UpdateConfigArgs,
    },
    parent_right::{ParentArgs, ParentRight},
    split_digest,
};

pub use self::{
    approval::{approve, revoke_approval},
    certificate::{TOKEN_METADATA_PROGRAM, issue_certificate},
    config::{accept_authority, initialize, offer_authority, update_config},
    dispute::{decide_dispute, expire_dispute, open_dispute},
    split::{
        SHARES_PER_PART, apply_split_change, approve_split_change, cancel_split_change,
        extend_split_change, propose_split, stage_split,
    },
    terms::{publish_terms, terms_digest},
    work::{
        ParentShare, Registration, Right, accept_ownership, offer_ownership, register_work,
        set_consent_end, withdraw_work,
    },
};

const SYSTEM_PROGRAM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");

fn instruction(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    with_accounts(accounts.to_account_metas(None), data)
}

fn with_accounts(accounts: Vec<AccountMeta>, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: PROGRAM_ID, accounts, data: data.data() }
}
