use std::path::{Path, PathBuf};

use clap::Args;
use motif_sdk::licensing::Share;

use super::report::Report;
use crate::{
    error::CliError,
    reference::{WorkReference, parse_share, read_file, recipients},
    session::Session,
};

const WHOLE_BPS: u32 = 10_000;

/// Which work, and who gets what from now on.
#[derive(Args)]
pub struct ProposeArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// Who gets which part, 100% in total, as addresses or keypair files.
    #[arg(long, value_name = "ADDRESS=50%", value_delimiter = ',', value_parser = parse_share, required_unless_present = "file")]
    to: Vec<(String, u16)>,

    /// The same from a file, one ADDRESS=50% on each line; lines that begin with # say nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    file: Option<PathBuf>,
}

pub async fn run(args: ProposeArgs, session: &Session) -> Result<(), CliError> {
    let named = match &args.file {
        Some(path) => from_file(path)?,
        None => args.to,
    };
    let total: u32 = named.iter().map(|(_, share_bps)| u32::from(*share_bps)).sum();
    if total != WHOLE_BPS {
        let (whole, rest) = (total / 100, total % 100);
        let what = format!("the shares add up to {whole}.{rest:02}%, and a split gives away 100%");
        return Err(CliError::usage(what, "name every recipient with its part of the whole"));
    }
    let share = |(recipient, share_bps)| Share { recipient, share_bps };
    let split: Vec<_> = recipients(&named)?.into_iter().map(share).collect();
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.propose_split(&owner, &work, &split).await?;
    let report = Report::read(&client, work).await?;
    session.answer(&report.json(), report.text());
    Ok(())
}

fn from_file(path: &Path) -> Result<Vec<(String, u16)>, CliError> {
    let unreadable = |reason| CliError::Unreadable { path: path.display().to_string(), reason };
    let text = String::from_utf8(read_file(path)?);
    let text = text.map_err(|error| unreadable(error.to_string()))?;
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse_share(line).map_err(unreadable)).collect()
}
