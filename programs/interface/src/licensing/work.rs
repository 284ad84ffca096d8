use anchor_lang::ToAccountMetas;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::{
    Fingerprint, ModelArgs, ParentArgs, ParentRight, Purpose, RegisterWorkArgs, SYSTEM_PROGRAM,
    Share, WorkKind, instruction, with_accounts,
};
use crate::pda;

/// A work about to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// What it is.
    pub kind: WorkKind,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    /// For look-alikes; scheme 0 for no such thing.
    pub fingerprint: Fingerprint,
    /// SHA-256 of what `metadata_uri` points to.
    pub metadata_digest: [u8; 32],
    /// Where a description is.
    pub metadata_uri: String,
    /// Last unix second of the person's consent; `None` for no end.
    pub consent_expires_at: Option<i64>,
    /// Of a style model, and of nothing else.
    pub model: Option<ModelArgs>,
    /// The style model that this one replaces, of the same owner.
    pub previous_model: Option<Pubkey>,
    /// The works it was made from.
    pub parents: Vec<ParentShare>,
    /// Who gets what the parents leave.
    pub split: Vec<Share>,
}

/// A work that another was made from, and its part of what that one earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentShare {
    /// The parent.
    pub work: Pubkey,
    /// Basis points of everything the derivative earns.
    pub share_bps: u16,
}

/// By what right a work is made from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// The parent's owner signs the registration.
    OwnerSigns(Pubkey),
    /// The parent's latest terms, of this number, allow it.
    Terms(u32),
    /// The parent's owner has approved it under the latest terms, of this number.
    Approval(u32),
    /// The creator holds a license under terms that allow it.
    License {
        /// Number of the license's terms.
        terms_number: u32,
        /// The creator's channel.
        channel: Pubkey,
        /// The license's place on it.
        index: u16,
    },
}

impl Registration {
    /// A work made from nothing else, that earns for its creator alone.
    pub fn new(kind: WorkKind, content_digest: [u8; 32], creator: &Pubkey) -> Self {
        Self {
            kind,
            content_digest,
            fingerprint: Fingerprint { scheme: 0, bits: [0; 32] },
            metadata_digest: [0; 32],
            metadata_uri: String::new(),
            consent_expires_at: None,
            model: None,
            previous_model: None,
            parents: Vec::new(),
            split: vec![Share { recipient: *creator, share_bps: 10_000 }],
        }
    }
}

impl Right {
    fn named(self) -> ParentRight {
        match self {
            Self::OwnerSigns(_) => ParentRight::OwnerSigns,
            Self::Terms(_) => ParentRight::Terms,
            Self::Approval(_) => ParentRight::Approval,
            Self::License { index, .. } => ParentRight::License { index },
        }
    }

    /// The parent's account, and those that prove the right.
    fn accounts(self, work: &Pubkey, creator: &Pubkey) -> Vec<AccountMeta> {
        let terms = |number| pda::terms(work, number);
        let readonly = |key| AccountMeta::new_readonly(key, false);
        let parent = readonly(*work);
        match self {
            Self::OwnerSigns(owner) => vec![parent, AccountMeta::new_readonly(owner, true)],
            Self::Terms(number) => vec![parent, readonly(terms(number))],
            Self::Approval(number) => {
                let approval = pda::approval(&terms(number), creator, Purpose::Derivative);
                vec![parent, readonly(terms(number)), readonly(approval)]
            }
            Self::License { terms_number, channel, .. } => {
                vec![parent, readonly(terms(terms_number)), readonly(channel)]
            }
        }
    }
}

/// Registers a work. Signed by `creator`, by `consent` if there is one, and by each parent's
/// owner where that is the right it is made by.
///
/// `rights` has one entry for each of the registration's parents, in the same order.
pub fn register_work(
    creator: &Pubkey,
    consent: Option<Pubkey>,
    registration: &Registration,
    rights: &[Right],
) -> Instruction {
    let accounts = licensing::accounts::RegisterWork {
        creator: *creator,
        work: pda::work(creator, &registration.content_digest),
        consent,
        previous_model: registration.previous_model,
        system_program: SYSTEM_PROGRAM,
    };
    let mut metas = accounts.to_account_metas(None);
    let mut parents = Vec::with_capacity(rights.len());
    for (parent, right) in registration.parents.iter().zip(rights) {
        metas.extend(right.accounts(&parent.work, creator));
        parents.push(ParentArgs { share_bps: parent.share_bps, right: right.named() });
    }
    let registration = registration.clone();
    let args = RegisterWorkArgs {
        kind: registration.kind,
        content_digest: registration.content_digest,
        fingerprint: registration.fingerprint,
        metadata_digest: registration.metadata_digest,
        metadata_uri: registration.metadata_uri,
        consent_expires_at: registration.consent_expires_at,
        model: registration.model,
        parents,
        split: registration.split,
    };
    with_accounts(metas, &licensing::instruction::RegisterWork { args })
}

/// Offers a work to somebody, or to nobody any more. Signed by its owner.
pub fn offer_ownership(owner: &Pubkey, work: &Pubkey, to: Option<Pubkey>) -> Instruction {
    let accounts = licensing::accounts::OfferOwnership { owner: *owner, work: *work };
    instruction(&accounts, &licensing::instruction::OfferOwnership { to })
}

/// Takes a work that was offered. Signed by whom it was offered to.
pub fn accept_ownership(accepter: &Pubkey, work: &Pubkey) -> Instruction {
    let accounts = licensing::accounts::AcceptOwnership { accepter: *accepter, work: *work };
    instruction(&accounts, &licensing::instruction::AcceptOwnership {})
}

/// Withdraws a work for good. Signed by its owner.
pub fn withdraw_work(owner: &Pubkey, work: &Pubkey) -> Instruction {
    let accounts = licensing::accounts::WithdrawWork { owner: *owner, work: *work };
    instruction(&accounts, &licensing::instruction::WithdrawWork {})
}

/// Ends a consent at this unix second, or never. Signed by the person who consented.
pub fn set_consent_end(person: &Pubkey, work: &Pubkey, expires_at: Option<i64>) -> Instruction {
    let accounts = licensing::accounts::SetConsentEnd { person: *person, work: *work };
    instruction(&accounts, &licensing::instruction::SetConsentEnd { expires_at })
}
