use clap::Args;
use motif_sdk::licensing::split_digest;

use super::report::Report;
use crate::{error::CliError, reference::WorkReference, session::Session};

/// Which work, and which split of it.
#[derive(Args)]
pub struct ApproveArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// Consent only to the split with this digest, which `motif split show` shows.
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
}

pub async fn run(args: ApproveArgs, session: &Session) -> Result<(), CliError> {
    let recipient = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let proposed = client.split_change(&work).await?.split;
    let digest = hex::encode(split_digest(&proposed));
    if let Some(expected) = args.digest.filter(|expected| !expected.eq_ignore_ascii_case(&digest)) {
        return Err(CliError::SplitDigestMismatch { work, expected, digest });
    }
    client.approve_split_change(&recipient, &work, &proposed).await?;
    let report = Report::read(&client, work).await?;
    session.answer(&report.json(), report.text());
    Ok(())
}
