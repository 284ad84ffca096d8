use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::Pubkey;

use super::report::Report;
use crate::{error::CliError, reference::WorkReference, session::Session};

/// Which work's till.
#[derive(Args)]
pub struct ShowArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// In which mint [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let mint = args.currency.unwrap_or_else(|| TestDollar::new().mint);
    let currency = client.currency(&mint).await?;
    let report = Report::read(&client, &work, &currency).await?;
    session.answer(&report.json(), report.text());
    Ok(())
}
