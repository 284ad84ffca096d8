use std::path::PathBuf;

use clap::Args;
use motif_sdk::{fingerprint::content_digest, licensing::OpenDisputeArgs};

use super::show::{json, text};
use crate::{
    error::CliError,
    reference::{WorkReference, read_file},
    session::Session,
};

/// Which work is yours, and how it shows.
#[derive(Args)]
pub struct OpenArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// The evidence; its SHA-256 goes on chain.
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,

    /// Where the arbiter finds it.
    #[arg(long, default_value = "", value_name = "URI")]
    evidence_uri: String,
}

pub async fn run(args: OpenArgs, session: &Session) -> Result<(), CliError> {
    let evidence = read_file(&args.evidence)?;
    let claimant = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let opening = OpenDisputeArgs {
        evidence_uri: args.evidence_uri,
        evidence_digest: content_digest(&evidence),
    };
    client.open_dispute(&claimant, &work, opening).await?;
    let dispute = client.dispute(&work).await?;
    session.answer(&json(&dispute), text(&dispute));
    Ok(())
}
