//! Metadata that `motif work register` writes and a gateway hosts.

use std::path::PathBuf;

use clap::Args;
use motif_sdk::{
    Pubkey,
    fingerprint::content_digest,
    gateway::{
        GatewayClient, GatewayError,
        wire::{Digest, Metadata},
    },
};

use crate::{error::CliError, reference::read_file};

/// Options for the metadata of a work.
#[derive(Args)]
pub struct DescriptionArgs {
    /// Description, at most 2,000 bytes; the gateway hosts it with the title
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["metadata", "metadata_uri"])]
    description: Option<String>,

    /// Name of the creator, at most 100 bytes; the gateway hosts it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["metadata", "metadata_uri"])]
    creator_name: Option<String>,

    /// Picture to show for the work, PNG, JPEG or WebP of at most 4 MiB; the gateway hosts it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["metadata", "metadata_uri"])]
    preview: Option<PathBuf>,
}

/// Metadata to host.
pub struct Description {
    /// The document.
    pub document: Vec<u8>,
    preview: Option<Vec<u8>>,
}

impl DescriptionArgs {
    /// Returns the metadata with a title, or `None` without any of the options.
    ///
    /// # Errors
    /// [`CliError::Usage`] if a text is too long; errors of reading the picture.
    pub fn read(&self, title: &str) -> Result<Option<Description>, CliError> {
        if self.description.is_none() && self.creator_name.is_none() && self.preview.is_none() {
            return Ok(None);
        }
        let preview = self.preview.as_deref().map(read_file).transpose()?;
        let metadata = Metadata {
            title: title.to_owned(),
            description: self.description.clone().unwrap_or_default(),
            creator: self.creator_name.clone().unwrap_or_default(),
            ..Metadata::default()
        };
        let description = Description::new(metadata, preview)?;
        Ok(Some(description))
    }
}

impl Description {
    /// Describes a work that has this picture.
    ///
    /// # Errors
    /// [`CliError::Usage`] if a text is too long.
    pub fn new(metadata: Metadata, preview: Option<Vec<u8>>) -> Result<Self, CliError> {
        let metadata = Metadata {
            motif: Metadata::VERSION,
            preview: preview.as_deref().map(|bytes| Digest(content_digest(bytes))),
            ..metadata
        };
        let checked = metadata.check();
        checked.map_err(|error| CliError::usage(format!("{error}"), "shorten it"))?;
        // Fails only for maps with keys other than text.
        let document = serde_json::to_vec(&metadata).unwrap_or_default();
        Ok(Self { document, preview })
    }

    /// Returns the URI of the document at a gateway.
    pub fn uri(&self, gateway_url: &str) -> String {
        format!("{gateway_url}/v1/metadata/{}", Digest(content_digest(&self.document)))
    }

    /// Has a gateway host the document and the picture of a registered work.
    ///
    /// # Errors
    /// As [`GatewayClient::host_metadata`].
    pub async fn host(self, work: &Pubkey, gateway: &GatewayClient) -> Result<(), GatewayError> {
        gateway.host_metadata(work, self.document).await?;
        match self.preview {
            Some(preview) => gateway.host_preview(work, preview).await,
            None => Ok(()),
        }
    }
}
