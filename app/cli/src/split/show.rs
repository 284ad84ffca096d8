use clap::Args;

use super::report::Report;
use crate::{error::CliError, reference::WorkReference, session::Session};

/// Which work.
#[derive(Args)]
pub struct ShowArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let report = Report::read(&client, work).await?;
    session.answer(&report.json(), report.text());
    Ok(())
}
