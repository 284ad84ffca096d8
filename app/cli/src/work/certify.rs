use clap::Args;
use motif_sdk::pda;
use serde_json::json;

use crate::{answer::pairs, error::CliError, reference::WorkReference, session::Session};

/// Which work, and what its certificate is called.
#[derive(Args)]
pub struct CertifyArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// What wallets show, 1 to 32 bytes.
    #[arg(long, value_name = "NAME")]
    name: String,
}

pub async fn run(args: CertifyArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let (certificate, landed) = client.issue_certificate(&owner, &work, &args.name).await?;

    let json = json!({
        "work": work.to_string(),
        "certificate": certificate.to_string(),
        "metadata": pda::metadata(&certificate).to_string(),
        "name": args.name,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("certificate", certificate.to_string()),
        ("name", args.name),
    ]);
    session.answer(&json, text);
    Ok(())
}
