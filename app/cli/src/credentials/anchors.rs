use std::path::PathBuf;

use clap::Args;
use motif_sdk::{credentials, fingerprint::DecodingWorker};

use crate::{decoding, error::CliError, reference::read_file};

/// Whose certificates are trusted in content credentials.
#[derive(Args)]
pub struct AnchorArgs {
    /// Trust certificates that these vouch for: PEM, such as an identity's anchor.pem.
    #[arg(long, env = "MOTIF_ANCHORS", value_name = "FILE")]
    anchors: Option<PathBuf>,
}

impl AnchorArgs {
    /// A worker that trusts them.
    ///
    /// # Errors
    /// [`CliError::Unreadable`] when the file is not there or holds no certificate.
    pub fn worker(&self) -> Result<DecodingWorker, CliError> {
        let Some(path) = &self.anchors else { return Ok(decoding::worker(None)) };
        if !credentials::are_anchors(&String::from_utf8_lossy(&read_file(path)?)) {
            let reason = "it holds no certificates in PEM".to_owned();
            return Err(CliError::Unreadable { path: path.display().to_string(), reason });
        }
        Ok(decoding::worker(Some(path)))
    }
}
