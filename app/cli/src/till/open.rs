use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::Pubkey;

use super::report::Report;
use crate::{error::CliError, reference::WorkReference, session::Session};

/// For which work.
#[derive(Args)]
pub struct OpenArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// In which mint [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,
}

/// Opening a till that is open already changes nothing.
pub async fn run(args: OpenArgs, session: &Session) -> Result<(), CliError> {
    let funder = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let mint = args.currency.unwrap_or_else(|| TestDollar::new().mint);
    let currency = client.currency(&mint).await?;
    client.open_till(&funder, &work, &currency).await?;
    let report = Report::read(&client, &work, &currency).await?;
    session.answer(&report.json(), report.text());
    Ok(())
}
