use clap::Args;
use motif_sdk::licensing::Dispute;
use serde_json::{Value, json};

use crate::{
    amount::grouped, answer::pairs, error::CliError, instant::utc, reference::WorkReference,
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
    let work = args.work.address(&client).await?;
    client.work(&work).await?; // an address that is no work is not just undisputed
    let dispute = client.dispute(&work).await?;
    session.answer(&json(&dispute), text(&dispute));
    Ok(())
}

/// A dispute as `--json` prints it.
pub fn json(dispute: &Dispute) -> Value {
    json!({
        "work": dispute.work.to_string(),
        "claimant": dispute.claimant.to_string(),
        "bond_lamports": dispute.bond_lamports,
        "opened_at": dispute.opened_at,
        "deadline": dispute.deadline,
        "evidence_uri": dispute.evidence_uri,
        "evidence_digest": hex::encode(dispute.evidence_digest),
    })
}

/// A dispute as people read it.
pub fn text(dispute: &Dispute) -> String {
    let uri = if dispute.evidence_uri.is_empty() { "-" } else { &dispute.evidence_uri };
    pairs([
        ("work", dispute.work.to_string()),
        ("claimant", dispute.claimant.to_string()),
        ("bond", format!("{} lamports", grouped(dispute.bond_lamports))),
        ("opened", utc(dispute.opened_at)),
        (
            "verdict by",
            format!("{}; then anybody may `motif dispute expire` it", utc(dispute.deadline)),
        ),
        ("evidence", uri.to_owned()),
        ("its SHA-256", hex::encode(dispute.evidence_digest)),
        ("until then", "the work earns, and pays nobody".to_owned()),
    ])
}
