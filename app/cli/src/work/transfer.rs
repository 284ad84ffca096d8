use clap::Args;
use serde_json::json;
use solana_signer::Signer;

use crate::{
    answer::pairs,
    error::CliError,
    reference::{Somebody, WorkReference},
    session::Session,
};

/// Which work, and whom to offer it to.
#[derive(Args)]
pub struct TransferArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// Who may become its owner: an address, or a keypair file.
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    to: Somebody,
}

pub async fn run(args: TransferArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let to = args.to.address()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let landed = client.offer_ownership(&owner, &work, Some(to)).await?;

    let json = json!({
        "work": work.to_string(),
        "owner": owner.pubkey().to_string(),
        "pending_owner": to.to_string(),
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("offered to", to.to_string()),
        ("next", format!("`motif work accept-transfer {work}`, signed by {to}")),
    ]);
    session.answer(&json, text);
    Ok(())
}
