use std::collections::BTreeSet;

use motif_sdk::{
    Error, Pubkey,
    client::{Client, awaited},
    licensing::{Share, SplitChange, Work, split_digest},
};
use serde_json::{Value, json};

use crate::{
    amount::percent,
    answer::{pairs, table},
    error::CliError,
};

/// A work's split, and the one proposed for it, if there is one.
pub struct Report {
    address: Pubkey,
    work: Work,
    change: Option<SplitChange>,
}

impl Report {
    pub async fn read(client: &Client, address: Pubkey) -> Result<Self, CliError> {
        let work = client.work(&address).await?;
        let change = match client.split_change(&address).await {
            Ok(change) => Some(change),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { address, work, change })
    }

    pub fn json(&self) -> Value {
        json!({
            "work": self.address.to_string(),
            "split_version": self.work.split_version,
            "split": shares(&self.work.split),
            "proposed": self.change.as_ref().map(|change| json!({
                "proposer": change.proposer.to_string(),
                "split": shares(&change.split),
                "digest": hex::encode(split_digest(&change.split)),
                "complete": is_complete(change),
                "stale": is_stale(change, &self.work),
                "awaited": awaited(change, &self.work)
                    .iter()
                    .map(Pubkey::to_string)
                    .collect::<Vec<_>>(),
            })),
        })
    }

    pub fn text(&self) -> String {
        let version = self.work.split_version.to_string();
        let facts = pairs([("work", self.address.to_string()), ("split version", version)]);
        let Some(change) = &self.change else {
            let rows = self
                .work
                .split
                .iter()
                .map(|share| [share.recipient.to_string(), percent(share.share_bps)]);
            let table = table(["recipient", "share"], &[1], rows.collect());
            return format!("{facts}\n\n{table}\n\nNo other split is proposed.");
        };
        let digest = hex::encode(split_digest(&change.split));
        format!("{facts}\n\n{}\n\nproposed  {digest}\n{}", self.table(change), self.next(change))
    }

    /// Everybody of either split, with what changes for them.
    fn table(&self, change: &SplitChange) -> String {
        let awaited: BTreeSet<_> = awaited(change, &self.work).into_iter().collect();
        let share_of = |split: &[Share], recipient: &Pubkey| {
            split.iter().find(|share| share.recipient == *recipient).map_or(0, |one| one.share_bps)
        };
        let present = self.work.split.iter().map(|share| share.recipient);
        let known: BTreeSet<_> = present.clone().collect();
        let new = change.split.iter().map(|share| share.recipient);
        let everybody = present.chain(new.filter(|recipient| !known.contains(recipient)));
        let rows = everybody.map(|recipient| {
            let (now, then) =
                (share_of(&self.work.split, &recipient), share_of(&change.split, &recipient));
            let consent = if awaited.contains(&recipient) {
                "missing"
            } else if then < now {
                "given"
            } else {
                "not needed"
            };
            [recipient.to_string(), percent(now), percent(then), consent.to_owned()]
        });
        table(["recipient", "now", "then", "consent"], &[1, 2], rows.collect())
    }

    /// What can be done about it.
    fn next(&self, change: &SplitChange) -> String {
        let work = self.address;
        if is_stale(change, &self.work) {
            return format!(
                "The split or the owner changed since; take it back with `motif split cancel {work}`."
            );
        }
        if !is_complete(change) {
            return format!(
                "A part of it is missing; take it back with `motif split cancel {work}` and propose it again."
            );
        }
        match awaited(change, &self.work).len() {
            0 => format!("Nobody's consent is missing: `motif split apply {work}`."),
            _ => format!("Who earns less consents with `motif split approve {work}`."),
        }
    }
}

fn is_stale(change: &SplitChange, work: &Work) -> bool {
    change.split_version != work.split_version || change.proposer != work.owner
}

fn is_complete(change: &SplitChange) -> bool {
    change.split.len() == usize::from(change.recipients)
}

fn shares(split: &[Share]) -> Value {
    let share = |share: &Share| json!({ "recipient": share.recipient.to_string(), "share_bps": share.share_bps });
    split.iter().map(share).collect()
}
