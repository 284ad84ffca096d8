use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{WorkDetails, awaited},
    earnings::EarningsAccount,
    gateway::wire::{KindWord, StatusWord, UnitWord, UseWord},
    licensing::{SplitChange, Work},
};
use serde_json::{Value, json};

use crate::{
    amount::{grouped, percent},
    answer::{pairs, table},
    dispute,
    error::CliError,
    instant::utc,
    reference::WorkReference,
    session::Session,
};

/// Which work.
#[derive(Args)]
pub struct ShowArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let address = args.work.address(&client).await?;
    let details = client.work_details(&address).await?;
    session.answer(&json(&details), text(&details));
    Ok(())
}

/// A work alone as `--json` prints it.
pub fn work_json(address: &Pubkey, work: &Work) -> Value {
    let parents = work.parents.iter().map(|parent| {
        json!({
            "work": parent.work.to_string(),
            "share_bps": parent.share_bps,
            "terms": (parent.terms_number > 0).then_some(parent.terms_number),
        })
    });
    let split = work.split.iter().map(
        |share| json!({ "recipient": share.recipient.to_string(), "share_bps": share.share_bps }),
    );
    json!({
        "work": address.to_string(),
        "kind": KindWord::from(work.kind),
        "status": StatusWord::from(work.status),
        "creator": work.creator.to_string(),
        "owner": work.owner.to_string(),
        "pending_owner": work.pending_owner.map(|key| key.to_string()),
        "content_digest": hex::encode(work.content_digest),
        "fingerprint": {
            "scheme": work.fingerprint.scheme,
            "bits": hex::encode(work.fingerprint.bits),
        },
        "registered_at": work.registered_at,
        "withdrawn_at": withdrawn_at(work),
        "latest_terms": work.latest_terms,
        "consent": work.consent.map(|consent| json!({
            "person": consent.person.to_string(),
            "expires_at": consent.expires_at,
        })),
        "model": work.model.as_ref().map(|model| json!({
            "base_model": model.base_model,
            "training_root": hex::encode(model.training_root),
            "previous": model.previous.map(|key| key.to_string()),
        })),
        "certificate": work.certificate.map(|key| key.to_string()),
        "inherited": {
            "expires_at": work.inherited.expires_at,
            "share_alike": work.inherited.share_alike,
            "non_commercial": work.inherited.non_commercial,
        },
        "metadata_uri": work.metadata_uri,
        "parents": parents.collect::<Vec<_>>(),
        "split": split.collect::<Vec<_>>(),
        "split_version": work.split_version,
    })
}

fn json(details: &WorkDetails) -> Value {
    let entry = &details.entry;
    let mut json = work_json(&entry.address, &entry.work);
    let uses = entry.terms.iter().flat_map(|published| &published.terms.offer.uses).map(|price| {
        json!({
            "use": UseWord::from(price.licensed_use),
            "price": price.price,
            "unit": UnitWord::from(price.unit),
        })
    });
    json["uses"] = uses.collect();
    let earnings = details.earnings.iter().map(|account| {
        json!({
            "mint": account.earnings.mint.to_string(),
            "earned": account.earnings.earned,
            "taken": taken(account),
        })
    });
    json["earnings"] = earnings.collect();
    json["children"] = details.children.iter().map(related).collect();
    json["conflicts"] = details.conflicts.iter().map(related).collect();
    json["dispute"] = details.dispute.as_ref().map(dispute::json).into();
    json["split_change"] =
        details.split_change.as_ref().map(|change| change_json(change, &entry.work)).into();
    json
}

fn related((address, work): &(Pubkey, Work)) -> Value {
    json!({
        "work": address.to_string(),
        "kind": KindWord::from(work.kind),
        "status": StatusWord::from(work.status),
        "creator": work.creator.to_string(),
        "registered_at": work.registered_at,
    })
}

fn change_json(change: &SplitChange, work: &Work) -> Value {
    let awaited = awaited(change, work);
    let awaited = awaited.iter().map(|recipient| recipient.to_string());
    json!({
        "proposer": change.proposer.to_string(),
        "awaited": awaited.collect::<Vec<_>>(),
    })
}

fn taken(account: &EarningsAccount) -> u64 {
    let parts = account.parents.iter().chain(&account.recipients);
    parts.map(|part| part.taken).sum() // at most what was earned
}

fn withdrawn_at(work: &Work) -> Option<i64> {
    Some(work.withdrawn_at).filter(|at| *at != i64::MAX)
}

fn text(details: &WorkDetails) -> String {
    let work = &details.entry.work;
    let own_bps = work.own_bps();
    let note = match own_bps {
        10_000 => String::new(),
        _ => format!("\nThe recipients share the {} that the parents leave.", percent(own_bps)),
    };
    let mut sections = vec![facts(details), parts(work) + &note];
    sections.extend(notes(details));
    sections.join("\n\n")
}

fn facts(details: &WorkDetails) -> String {
    let (address, work) = (&details.entry.address, &details.entry.work);
    let status = StatusWord::from(work.status).to_string();
    let status = match withdrawn_at(work) {
        Some(at) => format!("{status}, withdrawn {}", utc(at)),
        None => status,
    };
    let none = || "-".to_owned();
    let consent = work.consent.map(|consent| {
        let end =
            consent.expires_at.map_or("without end".to_owned(), |at| format!("until {}", utc(at)));
        format!("of {}, {end}", consent.person)
    });
    let model = work.model.as_ref();
    let model = model.map(|model| {
        let root = hex::encode(model.training_root);
        format!("adapts {}, trained on the set with root {root}", model.base_model)
    });
    let terms = details.entry.terms.as_ref();
    pairs([
        ("work", address.to_string()),
        ("kind", KindWord::from(work.kind).to_string()),
        ("status", status),
        ("creator", work.creator.to_string()),
        ("owner", owner(work)),
        ("SHA-256", hex::encode(work.content_digest)),
        ("registered", utc(work.registered_at)),
        (
            "terms",
            terms.map_or("none".to_owned(), |terms| format!("number {}", terms.terms.number)),
        ),
        ("consent", consent.unwrap_or_else(none)),
        ("model", model.unwrap_or_else(none)),
        ("certificate", work.certificate.map_or_else(none, |mint| mint.to_string())),
        (
            "metadata",
            Some(&work.metadata_uri).filter(|uri| !uri.is_empty()).cloned().unwrap_or_else(none),
        ),
    ])
}

fn owner(work: &Work) -> String {
    match work.pending_owner {
        Some(pending) => format!("{}, offered to {pending}", work.owner),
        None => work.owner.to_string(),
    }
}

/// Who earns what of the work.
fn parts(work: &Work) -> String {
    let parents = work
        .parents
        .iter()
        .map(|parent| ["parent".to_owned(), parent.work.to_string(), percent(parent.share_bps)]);
    let split = work.split.iter().map(|share| {
        ["recipient".to_owned(), share.recipient.to_string(), percent(share.share_bps)]
    });
    table(["", "who earns", "share"], &[2], parents.chain(split).collect())
}

/// What is only sometimes there.
fn notes(details: &WorkDetails) -> Vec<String> {
    let mut notes = Vec::new();
    if !details.earnings.is_empty() {
        let rows = details.earnings.iter().map(|account| {
            let earnings = &account.earnings;
            [earnings.mint.to_string(), grouped(earnings.earned), grouped(taken(account))]
        });
        notes.push(table(["earned in", "ever", "of it taken"], &[1, 2], rows.collect()));
    }
    if !details.children.is_empty() {
        let rows = details.children.iter().map(|(address, child)| {
            let address = address.to_string();
            [address, KindWord::from(child.kind).to_string(), child.creator.to_string()]
        });
        notes.push(table(["made from it", "kind", "creator"], &[], rows.collect()));
    }
    if let Some(dispute) = &details.dispute {
        let deadline = utc(dispute.deadline);
        notes.push(format!("Disputed by {}; the arbiter has until {deadline}.", dispute.claimant));
    }
    if let Some(change) = &details.split_change {
        let awaited = awaited(change, &details.entry.work).len();
        notes.push(match awaited {
            0 => "Another split is proposed, and nobody's consent is missing.".to_owned(),
            _ => format!("Another split is proposed; {awaited} recipients must still consent."),
        });
    }
    for (address, other) in &details.conflicts {
        let registered = utc(other.registered_at);
        let creator = other.creator;
        notes.push(format!(
            "Conflict: {creator} registered the same content as {address}, {registered}."
        ));
    }
    notes
}
