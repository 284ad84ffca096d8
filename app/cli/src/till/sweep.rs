use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::Pubkey;
use serde_json::json;

use super::report::Report;
use crate::{amount::grouped, error::CliError, reference::WorkReference, session::Session};

/// Which work's till.
#[derive(Args)]
pub struct SweepArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// In which mint [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,
}

pub async fn run(args: SweepArgs, session: &Session) -> Result<(), CliError> {
    let fee_payer = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let mint = args.currency.unwrap_or_else(|| TestDollar::new().mint);
    let currency = client.currency(&mint).await?;
    let before = client.till(&work, &mint).await?.swept;
    client.sweep_till(&fee_payer, &work, &currency).await?;
    let moved = client.till(&work, &mint).await?.swept.saturating_sub(before);

    let report = Report::read(&client, &work, &currency).await?;
    let mut json = report.json();
    json["moved"] = json!(moved);
    session.answer(&json, format!("{}\nmoved now      {}", report.text(), grouped(moved)));
    Ok(())
}
