use motif_interface::{
    earnings::EarningsAccount,
    licensing::{Dispute, SplitChange, Work, WorkKind, WorkStatus},
};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest, ParentShare, RecipientShare, WorkFacts};

/// On-chain state of one work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkDetailsFacts {
    /// Work and its latest terms.
    pub work: WorkFacts,
    /// Earnings, one entry for each currency.
    pub earnings: Vec<EarningsFacts>,
    /// Parents.
    pub parents: Vec<RelatedWork>,
    /// Derivatives, earliest registration first.
    pub children: Vec<RelatedWork>,
    /// Pending dispute.
    pub dispute: Option<DisputeFacts>,
    /// Proposed split that is not applied yet.
    pub split_change: Option<SplitChangeFacts>,
    /// Other registrations of the same content, earliest first.
    pub conflicts: Vec<RelatedWork>,
}

/// Earnings of a work in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EarningsFacts {
    /// Mint of the amounts.
    pub currency: Address,
    /// Total earned.
    pub earned: Amount,
    /// Amount that parents have pulled and recipients have claimed.
    pub taken: Amount,
}

/// Short description of another work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelatedWork {
    /// Address of the work.
    pub work: Address,
    /// Kind of content.
    pub kind: WorkKind,
    /// Status.
    pub status: WorkStatus,
    /// Key that registered the work.
    pub creator: Address,
    /// On-chain unix second of registration.
    pub registered_at: i64,
    /// Parent's share of the child's earnings; `null` if the works are not parent and child.
    pub share_bps: Option<u16>,
}

/// Dispute about a work's ownership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisputeFacts {
    /// Key that claims the work.
    pub claimant: Address,
    /// Bond of the claimant, lamports.
    pub bond_lamports: u64,
    /// On-chain unix second of opening.
    pub opened_at: i64,
    /// Last unix second for a verdict.
    pub deadline: i64,
    /// URI of the evidence, which the gateway does not fetch.
    pub evidence_uri: String,
    /// SHA-256 of the evidence.
    pub evidence_digest: Digest,
}

/// Proposed split of a work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SplitChangeFacts {
    /// Key that proposes it.
    pub proposer: Address,
    /// Version of the split that it replaces.
    pub split_version: u32,
    /// Whether all shares are written.
    pub complete: bool,
    /// Proposed shares.
    pub split: Vec<RecipientShare>,
    /// Recipients whose share falls and who have not approved.
    pub awaiting: Vec<Address>,
}

/// Ancestors and descendants of a work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineageFacts {
    /// The work itself.
    pub work: RelativeFacts,
    /// Ancestors, to any depth, nearest first.
    pub ancestors: Vec<RelativeFacts>,
    /// Descendants, to any depth, nearest first.
    pub descendants: Vec<RelativeFacts>,
}

/// Work in a lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelativeFacts {
    /// Address of the work.
    pub work: Address,
    /// Kind of content.
    pub kind: WorkKind,
    /// Status.
    pub status: WorkStatus,
    /// Length of the shortest path to the work.
    pub distance: u32,
    /// Parts per billion over all paths. Ancestor: its share of the work's earnings. Descendant:
    /// the work's share of its earnings.
    pub share_ppb: u32,
    /// Parents, with their shares of its earnings.
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
    /// Creates the description from an account.
    pub fn new(address: Pubkey, work: &Work, share_bps: Option<u16>) -> Self {
        Self {
            work: Address(address),
            kind: work.kind,
            status: work.status,
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
    /// Creates the description from an account and the recipients yet to approve.
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
