use clap::Args;
use serde_json::json;

use crate::{answer::pairs, error::CliError, reference::WorkReference, session::Session};

/// Which work.
#[derive(Args)]
pub struct ExpireArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,
}

pub async fn run(args: ExpireArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let landed = client.expire_dispute(&payer, &work).await?;
    let owner = client.work(&work).await?.owner;

    let json = json!({
        "work": work.to_string(),
        "owner": owner.to_string(),
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("owner", format!("{owner}, as before")),
        ("bond", "paid to the owner".to_owned()),
    ]);
    session.answer(&json, text);
    Ok(())
}
