use std::path::PathBuf;

use clap::Args;
use motif_sdk::terms::summary;
use serde_json::json;

use super::{OfferArgs, Offered, confirm};
use crate::{answer::pairs, error::CliError, reference::WorkReference, session::Session};

/// Whose terms, and what they say.
#[derive(Args)]
pub struct PublishArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// File of terms; flags override what it says.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Do not ask first.
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    offer: OfferArgs,
}

pub async fn run(args: PublishArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let offered = args.offer.offer(args.file.as_deref(), &client, session.now()).await?;
    confirm(&offered, args.yes, session)?;
    let Offered { currency, denomination, offer } = offered;
    let summary = summary(&offer, &denomination);
    let (number, landed) = client.publish_terms(&work, &currency, offer).send(&owner).await?;

    let json = json!({
        "work": work.to_string(),
        "terms": number,
        "address": motif_sdk::pda::terms(&work, number).to_string(),
        "summary": summary,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([("work", work.to_string()), ("terms", format!("number {number}"))]);
    session.answer(&json, text);
    Ok(())
}
