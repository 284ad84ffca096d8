use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use motif_sdk::{
    credentials::{Digests, Evidence, Findings, ReceiptStanding},
    fingerprint::{Examined, content_digest},
    gateway::wire::CredentialsFacts,
};
use serde_json::json;

use super::{AnchorArgs, report::said};
use crate::{channel::Snapshot, error::CliError, reference::read_file, session::Session};

/// What to read.
#[derive(Args)]
pub struct ShowArgs {
    /// A signed JPEG, PNG, WebP, WAV or MP3.
    file: PathBuf,

    /// Prove the receipt in it against a channel's account in a file, a snapshot by `motif channel
    /// show --snapshot`.
    #[arg(long, value_name = "FILE")]
    channel_snapshot: Option<PathBuf>,

    #[command(flatten)]
    anchors: AnchorArgs,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let content = read_file(&args.file)?;
    let path = || args.file.display().to_string();
    let whole = content_digest(&content);
    let Examined { perceived, credentials } = args.anchors.worker()?.examine(content).await;
    let credentials = match (credentials, perceived) {
        (Some(credentials), _) => credentials,
        (None, Ok(_)) => return Err(CliError::NoCredentials { path: path() }),
        (None, Err(error)) => {
            return Err(CliError::Unreadable { path: path(), reason: error.to_string() });
        }
    };
    let digests = Digests { whole, bare: Some(credentials.bare_digest.0) };
    let snapshot = args.channel_snapshot.as_deref().map(Snapshot::read).transpose()?;
    let proved = snapshot.as_ref().map(|(address, channel)| {
        let provenance = credentials.provenance.as_ref()?;
        let receipt = provenance.receipt.as_ref()?;
        let channel = (receipt.channel.0 == *address).then_some(channel);
        // The snapshot says nothing of the cluster: it is whose it is said to be.
        let cluster = provenance.cluster.0;
        let evidence = Evidence { cluster, digests, works: &BTreeMap::new(), channel };
        Findings::new(provenance, evidence).receipt
    });
    let facts = CredentialsFacts::new(credentials, None);
    let mut text = said(&facts);
    let mut standing = None;
    if let Some(proved) = proved {
        let found = proved.ok_or_else(|| CliError::NoReceipt { path: path() })?;
        if found.standing != ReceiptStanding::Settled {
            let first = found.standing.sentence().to_owned();
            return Err(CliError::ReceiptsFailed { failed: 1, all: 1, first });
        }
        standing = Some(found.standing);
        text = format!("{text}\n\nThe receipt is {}.", found.standing.sentence());
    }
    let json = json!({ "credentials": facts, "receipt_standing": standing });
    session.answer(&json, text);
    Ok(())
}
