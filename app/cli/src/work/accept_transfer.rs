use clap::Args;
use serde_json::json;
use solana_signer::Signer;

use crate::{answer::pairs, error::CliError, reference::WorkReference, session::Session};

/// Which work.
#[derive(Args)]
pub struct AcceptTransferArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,
}

pub async fn run(args: AcceptTransferArgs, session: &Session) -> Result<(), CliError> {
    let accepter = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let landed = client.accept_ownership(&accepter, &work).await?;

    let json = json!({
        "work": work.to_string(),
        "owner": accepter.pubkey().to_string(),
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("owner", accepter.pubkey().to_string()),
        ("split", "as it was; change it with `motif split propose`".to_owned()),
    ]);
    session.answer(&json, text);
    Ok(())
}
