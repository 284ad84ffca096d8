//! Conversions of on-chain state into the JSON types of a gateway.

use motif_wire::{
    DisputeFacts, EarningsFacts, LineageFacts, ParentShare, RelatedWork, RelativeFacts,
    SplitChangeFacts, TermsFacts, WorkDetailsFacts, WorkFacts, WorkQuery,
};
use solana_pubkey::Pubkey;

use crate::{
    client::{CatalogueEntry, OfferFilter, WorkDetails, WorkFilter, awaited},
    licensing::Work,
    lineage::{Lineage, Relative},
};

impl From<&WorkDetails> for WorkDetailsFacts {
    fn from(details: &WorkDetails) -> Self {
        let entry = &details.entry;
        let share = |child: &Work, parent: &Pubkey| {
            let mut parents = child.parents.iter();
            parents.find(|one| one.work == *parent).map(|one| one.share_bps)
        };
        let parents = details.parents.iter();
        let parents = parents
            .map(|(address, work)| RelatedWork::new(*address, work, share(&entry.work, address)));
        let children = details.children.iter();
        let children = children
            .map(|(address, work)| RelatedWork::new(*address, work, share(work, &entry.address)));
        let conflicts = details.conflicts.iter();
        let conflicts = conflicts.map(|(address, work)| RelatedWork::new(*address, work, None));
        let change = details.split_change.as_ref();
        Self {
            work: WorkFacts::from(entry),
            earnings: details.earnings.iter().map(EarningsFacts::from).collect(),
            parents: parents.collect(),
            children: children.collect(),
            dispute: details.dispute.as_ref().map(DisputeFacts::from),
            split_change: change
                .map(|change| SplitChangeFacts::new(change, awaited(change, &entry.work))),
            conflicts: conflicts.collect(),
        }
    }
}

impl From<&Lineage> for LineageFacts {
    fn from(lineage: &Lineage) -> Self {
        let facts = |relatives: &[Relative]| relatives.iter().map(RelativeFacts::from).collect();
        Self {
            work: RelativeFacts::from(&lineage.work),
            ancestors: facts(&lineage.ancestors),
            descendants: facts(&lineage.descendants),
        }
    }
}

impl From<&Relative> for RelativeFacts {
    fn from(relative: &Relative) -> Self {
        Self {
            work: motif_wire::Address(relative.address),
            kind: relative.kind.into(),
            status: relative.status.into(),
            distance: relative.distance,
            share_ppb: relative.share_ppb,
            parents: relative.parents.iter().map(ParentShare::from).collect(),
        }
    }
}
impl From<&CatalogueEntry> for WorkFacts {
    fn from(entry: &CatalogueEntry) -> Self {
        let terms = entry.terms.as_ref();
        let terms = terms.map(|published| TermsFacts::new(&published.terms, published.digest));
        Self::new(entry.address, &entry.work, terms)
    }
}

impl From<&WorkQuery> for WorkFilter {
    fn from(query: &WorkQuery) -> Self {
        Self {
            creator: query.creator.map(|creator| creator.0),
            owner: query.owner.map(|owner| owner.0),
            kind: query.kind.map(Into::into),
            status: query.status.map(Into::into),
            ..Self::default()
        }
    }
}

impl From<&WorkQuery> for OfferFilter {
    fn from(query: &WorkQuery) -> Self {
        Self {
            licensed_use: query.licensed_use.map(Into::into),
            max_price: query.max_price.map(|price| price.0),
            currency: query.currency.map(|currency| currency.0),
        }
    }
}
