use motif_interface::{
    earnings::EarningsAccount,
    licensing::{Dispute, SplitChange, Work},
};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{
    Address, Amount, Digest, KindWord, ParentShare, RecipientShare, StatusWord, WorkFacts,
};

/// Everything the chain says about one work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkDetailsFacts {
    /// The work and its latest terms.
    pub work: WorkFacts,
    /// What it has earned, one entry a currency.
    pub earnings: Vec<EarningsFacts>,
    /// The works it was made from.
    pub parents: Vec<RelatedWork>,
    /// The works made from it, earliest registration first.
    pub children: Vec<RelatedWork>,
    /// The dispute about it, while there is one.
    pub dispute: Option<DisputeFacts>,
    /// The split that its owner proposes, while it is not applied.
    pub split_change: Option<SplitChangeFacts>,
    /// Other registrations of the same content, earliest first.
    pub conflicts: Vec<RelatedWork>,
}

/// What a work has earned in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EarningsFacts {
    /// Mint of the amounts.
    pub currency: Address,
    /// Ever.
    pub earned: Amount,
    /// What parents have pulled and recipients have claimed of it.
    pub taken: Amount,
}

/// Another work, in brief.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelatedWork {
    /// Its address.
    pub work: Address,
    /// What it is.
    pub kind: KindWord,
    /// Whether it takes new licenses and derivatives.
    pub status: StatusWord,
    /// Who registered it.
    pub creator: Address,
    /// Unix seconds on chain at registration.
    pub registered_at: i64,
    /// The parent's share of everything the child earns; `null` where neither is.
    pub share_bps: Option<u16>,
}

/// A claim that a work belongs to somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisputeFacts {
    /// Who claims it.
    pub claimant: Address,
    /// At stake, lamports.
    pub bond_lamports: u64,
    /// Unix seconds on chain.
    pub opened_at: i64,
    /// Last unix second of a verdict.
    pub deadline: i64,
    /// Where the evidence is. Not fetched by anybody here.
    pub evidence_uri: String,
    /// SHA-256 of what is there.
    pub evidence_digest: Digest,
}

/// A split that a work's owner proposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SplitChangeFacts {
    /// Who proposes it.
    pub proposer: Address,
    /// The split it would replace, by its version.
    pub split_version: u32,
    /// Whether all of it has been written down.
    pub complete: bool,
    /// The split itself.
    pub split: Vec<RecipientShare>,
    /// Recipients whose share falls and who have not approved yet.
    pub awaiting: Vec<Address>,
}

/// A work's ancestors and descendants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineageFacts {
    /// The work itself.
    pub work: RelativeFacts,
    /// What it was made from, to any depth, nearest first.
    pub ancestors: Vec<RelativeFacts>,
    /// What was made from it, to any depth, nearest first.
    pub descendants: Vec<RelativeFacts>,
}

/// One work of a lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelativeFacts {
    /// Its address.
    pub work: Address,
    /// What it is.
    pub kind: KindWord,
    /// Whether it takes new licenses and derivatives.
    pub status: StatusWord,
    /// Generations between it and the work, by the shortest way.
    pub distance: u32,
    /// Of an ancestor: what reaches it of everything the work earns. Of a descendant: what of
    /// everything it earns reaches the work. Over all ways, parts per billion.
    pub share_ppb: u32,
    /// Its own parents, with their shares of everything it earns.
    pub parents: Vec<ParentShare>,
}

impl From<&EarningsAccount> for EarningsFacts {
    fn from(account: &EarningsAccount) -> Self {
        let parts = account.parents.iter().chain(&account.recipients);
        Self {
            currency: Address(account.earnings.mint),
            earned: Amount(account.earnings.earned),
            taken: Amount(parts.map(|part| part.taken).sum()), // at most what was earned
        }
    }
}

impl RelatedWork {
    /// States what an account says.
    pub fn new(address: Pubkey, work: &Work, share_bps: Option<u16>) -> Self {
        Self {
            work: Address(address),
            kind: work.kind.into(),
            status: work.status.into(),
            creator: Address(work.creator),
            registered_at: work.registered_at,
            share_bps,
        }
    }
}

impl From<&Dispute> for DisputeFacts {
    fn from(dispute: &Dispute) -> Self {
        Self {
            claimant: Address(dispute.claimant),
            bond_lamports: dispute.bond_lamports,
            opened_at: dispute.opened_at,
            deadline: dispute.deadline,
            evidence_uri: dispute.evidence_uri.clone(),
            evidence_digest: Digest(dispute.evidence_digest),
        }
    }
}

impl SplitChangeFacts {
    /// States what an account says; `awaiting` have yet to approve.
    pub fn new(change: &SplitChange, awaiting: Vec<Pubkey>) -> Self {
        Self {
            proposer: Address(change.proposer),
            split_version: change.split_version,
            complete: change.split.len() == usize::from(change.recipients),
            split: change.split.iter().map(RecipientShare::from).collect(),
            awaiting: awaiting.into_iter().map(Address).collect(),
        }
    }
}
