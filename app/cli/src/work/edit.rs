use std::{fmt, path::PathBuf};

use clap::Args;
use motif_sdk::{fingerprint::content_digest, licensing::UpdateMetadataArgs};
use serde::Serialize;

use crate::{
    error::CliError,
    output::pairs,
    reference::{WorkArgs, read_file},
    session::Session,
};

/// Arguments of `motif work edit`. What is left out stays unchanged.
#[derive(Args)]
pub struct EditArgs {
    #[command(flatten)]
    work: WorkArgs,

    #[command(flatten)]
    changes: Changes,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Title that lists show, at most 64 bytes
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,

    /// URI of the work's metadata
    #[arg(long, value_name = "URI")]
    metadata_uri: Option<String>,

    /// File with the work's metadata; its SHA-256 goes on chain
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

/// Output of `motif work edit`.
#[derive(Serialize)]
struct EditOutput {
    work: String,
    title: String,
    metadata_uri: String,
    metadata_digest: String,
    signature: String,
}

pub async fn run(args: EditArgs, session: &Session) -> Result<(), CliError> {
    for (name, text) in
        [("title", &args.changes.title), ("metadata URI", &args.changes.metadata_uri)]
    {
        CliError::check_visible(name, text.as_deref().unwrap_or_default())?;
    }
    let metadata = args.changes.metadata.as_deref().map(read_file).transpose()?;
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let present = UpdateMetadataArgs::of(&client.work(&work).await?);
    let new = UpdateMetadataArgs {
        title: args.changes.title.unwrap_or(present.title),
        metadata_uri: args.changes.metadata_uri.unwrap_or(present.metadata_uri),
        metadata_digest: metadata.map_or(present.metadata_digest, |bytes| content_digest(&bytes)),
    };
    let landed = client.update_metadata(&owner, &work, new.clone()).await?;
    session.print(&EditOutput {
        work: work.to_string(),
        title: new.title,
        metadata_uri: new.metadata_uri,
        metadata_digest: hex::encode(new.metadata_digest),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for EditOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let digest = self.metadata_digest.trim_matches('0'); // zeros stand for no metadata
        let digest = if digest.is_empty() { "-" } else { self.metadata_digest.as_str() };
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("title", &or_dash(&self.title)),
            ("metadata", &or_dash(&self.metadata_uri)),
            ("its SHA-256", &digest),
        ]))
    }
}
