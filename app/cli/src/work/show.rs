use clap::Args;
use motif_sdk::{Pubkey, gateway::wire::KindWord, licensing::Work};
use serde_json::{Value, json};

use crate::{
    amount::percent,
    answer::{pairs, table},
    error::CliError,
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
    let work = client.work(&address).await?;
    session.answer(&json(&address, &work), text(&address, &work));
    Ok(())
}

/// A work as `--json` prints it.
pub fn json(address: &Pubkey, work: &Work) -> Value {
    let parents = work
        .parents
        .iter()
        .map(|parent| json!({ "work": parent.work.to_string(), "share_bps": parent.share_bps }));
    let split = work.split.iter().map(
        |share| json!({ "recipient": share.recipient.to_string(), "share_bps": share.share_bps }),
    );
    json!({
        "work": address.to_string(),
        "kind": KindWord::from(work.kind),
        "creator": work.creator.to_string(),
        "owner": work.owner.to_string(),
        "content_digest": hex::encode(work.content_digest),
        "fingerprint": {
            "scheme": work.fingerprint.scheme,
            "bits": hex::encode(work.fingerprint.bits),
        },
        "registered_at": work.registered_at,
        "latest_terms": work.latest_terms,
        "consent": work.consent.map(|consent| consent.person.to_string()),
        "metadata_uri": work.metadata_uri,
        "parents": parents.collect::<Vec<_>>(),
        "split": split.collect::<Vec<_>>(),
    })
}

fn text(address: &Pubkey, work: &Work) -> String {
    let facts = pairs([
        ("work", address.to_string()),
        ("kind", KindWord::from(work.kind).to_string()),
        ("creator", work.creator.to_string()),
        ("owner", work.owner.to_string()),
        ("SHA-256", hex::encode(work.content_digest)),
        ("registered at", work.registered_at.to_string()),
        ("latest terms", work.latest_terms.to_string()),
        (
            "metadata",
            if work.metadata_uri.is_empty() { "-" } else { &work.metadata_uri }.to_owned(),
        ),
    ]);
    let parents = work
        .parents
        .iter()
        .map(|parent| ["parent".to_owned(), parent.work.to_string(), percent(parent.share_bps)]);
    let split = work.split.iter().map(|share| {
        ["recipient".to_owned(), share.recipient.to_string(), percent(share.share_bps)]
    });
    let parts = table(["", "who earns", "share"], &[2], parents.chain(split).collect());
    let note = match work.own_bps() {
        10_000 => String::new(),
        own_bps => {
            format!("\nThe recipients share the {} that the parents leave.", percent(own_bps))
        }
    };
    format!("{facts}\n\n{parts}{note}")
}
