use std::path::Path;

use motif_sdk::{
    gateway::{
        confidence,
        wire::{AlikeWork, Authentication, ReceiptParts, WorkFacts},
    },
    receipt::SignedReceipt,
};
use serde_json::json;

use super::standing::Standing;
use crate::{
    amount::grouped,
    answer::{pairs, table},
    credentials::said,
    session::Session,
};

/// Says what was found out.
pub fn answer(
    answer: &Authentication,
    standings: &[(SignedReceipt, Standing)],
    path: &Path,
    session: &Session,
) {
    let receipts = standings.iter().map(|(signed, standing)| {
        json!({
            "receipt": ReceiptParts::from(signed),
            "standing": standing.word(),
            "about": standing.sentence(),
        })
    });
    let json = json!({
        "digest": answer.digest,
        "media_type": answer.media_type,
        "unreadable": answer.unreadable,
        "credentials": answer.credentials,
        "exact": answer.exact,
        "conflict": answer.conflict,
        "first_unknown": answer.first_unknown,
        "alike": answer.alike,
        "receipts": receipts.collect::<Vec<_>>(),
        "truncated": answer.truncated,
        "works": answer.works,
        "read_at": answer.read_at,
    });
    session.answer(&json, text(answer, standings, path));
}

fn text(answer: &Authentication, standings: &[(SignedReceipt, Standing)], path: &Path) -> String {
    let kind = answer.media_type.as_deref().unwrap_or("unreadable");
    let mut parts = vec![pairs([
        ("file", format!("{} ({kind})", path.display())),
        ("SHA-256", answer.digest.to_string()),
        ("compared with", format!("{} works", grouped(answer.works))),
    ])];
    if let Some(why) = &answer.unreadable {
        parts.push(format!("look-alikes could not be looked for: {why}"));
    }
    if let Some(credentials) = &answer.credentials {
        parts.push(said(credentials));
    }
    if !answer.exact.is_empty() {
        let note = match (answer.conflict, answer.first_unknown) {
            (true, true) => ", more than once, and in the same second: which came first is unknown",
            (true, false) => ", more than once: the first came first",
            _ => "",
        };
        parts.push(format!("registered as exactly this{note}"));
        let rows = answer.exact.iter().map(row).collect();
        parts.push(table(["work", "kind", "status", "creator", "licensed for"], &[], rows));
    }
    if !answer.alike.is_empty() {
        parts.push("registered and like this (a hint, never proof)".to_owned());
        let rows = answer.alike.iter().map(|alike| {
            let [work, kind, status, creator, uses] = row(&alike.work);
            let distance = format!("{} of {}", alike.distance, alike.distance_at_most);
            [work, kind, status, creator, uses, distance, coincidence(alike, answer.works)]
        });
        let header = ["work", "kind", "status", "creator", "licensed for", "distance", "by chance"];
        parts.push(table(header, &[], rows.collect()));
    }
    for (signed, standing) in standings {
        let receipt = &signed.receipt;
        parts.push(pairs([
            ("licensed by receipt", hex::encode(receipt.digest())),
            ("work", receipt.work.to_string()),
            ("price", grouped(receipt.amount)),
            ("standing", standing.sentence()),
        ]));
    }
    if answer.exact.is_empty() && answer.alike.is_empty() && standings.is_empty() {
        parts.push("no registered work is exactly this or like it".to_owned());
    }
    if answer.truncated {
        parts.push("there are more; those registered first are named".to_owned());
    }
    parts.join("\n\n")
}

/// How many unrelated works would be this near, among all that were compared.
fn coincidence(alike: &AlikeWork, works: u64) -> String {
    let Some(confidence) = confidence(alike) else { return "not measured".to_owned() };
    let coincidences = confidence.coincidences(works);
    if coincidences < 0.01 {
        "less than 1 in 100".to_owned()
    } else {
        format!("at most {coincidences:.2}")
    }
}

fn row(work: &WorkFacts) -> [String; 5] {
    let uses = work.terms.iter().flat_map(|terms| &terms.uses).map(|priced| {
        format!("{} {}/{}", priced.licensed_use, grouped(priced.price.0), priced.unit)
    });
    let uses = uses.collect::<Vec<_>>().join(", ");
    let uses = if uses.is_empty() { "nothing".to_owned() } else { uses };
    let (kind, status) = (work.kind.to_string(), work.status.to_string());
    [work.work.to_string(), kind, status, work.creator.to_string(), uses]
}
