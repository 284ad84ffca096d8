use clap::Args;
use motif_sdk::earnings::{self, EarningsAccount};
use solana_signer::Signer;

use super::report::Report;
use crate::{error::CliError, reference::WorkReference, session::Session};

/// Which work.
#[derive(Args)]
pub struct ApplyArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,
}

/// What was earned before stays as the old split gave it, in every currency.
pub async fn run(args: ApplyArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.apply_split_change(&payer, &work).await?;
    let version = client.work(&work).await?.split_version;
    let accounts = client.earnings_of(&work).await?;
    let old = accounts.iter().filter(|account| account.earnings.split_version != version);
    let apply = |account: &EarningsAccount| {
        earnings::apply_split(&payer.pubkey(), &work, &account.earnings.mint)
    };
    client.send_packed(old.map(apply).collect(), &payer).await?;
    let report = Report::read(&client, work).await?;
    session.answer(&report.json(), report.text());
    Ok(())
}
