use clap::Args;
use serde_json::json;
use solana_signer::Signer;

use crate::{answer::pairs, error::CliError, reference::WorkReference, session::Session};

/// Which work.
#[derive(Args)]
pub struct CancelTransferArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,
}

pub async fn run(args: CancelTransferArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let landed = client.offer_ownership(&owner, &work, None).await?;

    let json = json!({
        "work": work.to_string(),
        "owner": owner.pubkey().to_string(),
        "pending_owner": null,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([("work", work.to_string()), ("offered to", "nobody".to_owned())]);
    session.answer(&json, text);
    Ok(())
}
