//! Metadata and pictures of works, in a folder: what a work on chain names, and nothing that a URL names.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::body::Bytes;
use motif_paywall::BodyBudget;
use motif_sdk::{
    Pubkey,
    fingerprint::{DecodingWorker, WorkerError, content_digest},
    gateway::wire::{Digest, Metadata},
};
use tokio::{
    fs,
    io::AsyncWriteExt,
    sync::{Mutex, Semaphore},
};

use crate::{
    cluster::Cluster,
    config::HostingConfig,
    error::{GatewayError, RecognitionError},
};

/// Maximum length of a picture, bytes.
pub const MAX_PICTURE_BYTES: usize = 4 * 1_024 * 1_024;
/// Bytes of all pictures that are being uploaded.
const UPLOAD_BYTES: u64 = 32 << 20;
/// Pictures that are decoded at once.
const DECODERS: usize = 2;
const METADATA: &str = "metadata";
const PICTURES: &str = "pictures";
/// Extension of files that are being written.
const PARTIAL: &str = "partial";
/// Age at which such a file is no other process's work.
const UNFINISHED_AFTER: Duration = Duration::from_secs(600);

/// Size of a hosted picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureSize {
    /// At most 1,024 pixels a side.
    Large,
    /// At most 256 pixels a side.
    Small,
}

/// Metadata and pictures that this gateway hosts.
pub struct Hosting {
    config: Option<HostingConfig>,
    cluster: Arc<Cluster>,
    decoding: DecodingWorker,
    decoders: Semaphore,
    /// Bytes in the folder; `None` before it was measured. Locked while something is added.
    used: Mutex<Option<u64>>,
    /// Budget of uploads.
    pub bodies: BodyBudget,
}

impl Hosting {
    /// Creates the hosting of a folder. Nothing is read or created until it is needed.
    pub fn new(
        config: Option<HostingConfig>,
        cluster: Arc<Cluster>,
        decoding: DecodingWorker,
    ) -> Self {
        let bodies = BodyBudget::new(UPLOAD_BYTES);
        let (decoders, used) = (Semaphore::new(DECODERS), Mutex::default());
        Self { config, cluster, decoding, decoders, used, bodies }
    }

    /// Returns hosted metadata.
    ///
    /// # Errors
    /// [`GatewayError::NotHosted`].
    pub async fn metadata(&self, digest: &Digest) -> Result<Bytes, GatewayError> {
        self.read(METADATA, &format!("{digest}.json")).await
    }

    /// Returns a hosted picture, JPEG.
    ///
    /// # Errors
    /// [`GatewayError::NotHosted`].
    pub async fn picture(&self, digest: &Digest, size: PictureSize) -> Result<Bytes, GatewayError> {
        self.read(PICTURES, &picture_name(digest, size)).await
    }

    /// Returns the digest of a work's hosted picture; `None` if it has none here.
    pub async fn picture_of(&self, metadata: &Digest) -> Option<Digest> {
        let preview = Metadata::read(&self.metadata(metadata).await.ok()?).ok()?.preview?;
        let folder = self.config.as_ref()?.folder.join(PICTURES);
        let path = folder.join(picture_name(&preview, PictureSize::Large));
        fs::try_exists(path).await.unwrap_or(false).then_some(preview)
    }

    /// Hosts metadata that a work names. Returns whether it is new.
    ///
    /// # Errors
    /// [`GatewayError::WrongDigest`], [`GatewayError::InvalidMetadata`], [`GatewayError::NotNamed`],
    /// [`GatewayError::UnknownWork`], [`GatewayError::HostingFull`], [`GatewayError::HostingDiskFull`],
    /// [`GatewayError::NotFound`] without hosting, [`GatewayError::ChainUnreachable`].
    pub async fn put_metadata(
        &self,
        digest: &Digest,
        work: &Pubkey,
        document: &[u8],
    ) -> Result<bool, GatewayError> {
        let config = self.config()?;
        check_digest(digest, document)?;
        Metadata::read(document).map_err(GatewayError::InvalidMetadata)?;
        if self.named_metadata(work).await? != *digest {
            return Err(GatewayError::NotNamed);
        }
        let path = config.folder.join(METADATA).join(format!("{digest}.json"));
        self.keep(config, &[(path, document)]).await
    }

    /// Hosts a picture that the hosted metadata of a work names. Returns whether it is new.
    ///
    /// # Errors
    /// As [`Hosting::put_metadata`]; [`GatewayError::NotHosted`] if the metadata is not hosted;
    /// [`GatewayError::Recognition`] if the picture cannot be decoded.
    pub async fn put_picture(
        &self,
        digest: &Digest,
        work: &Pubkey,
        picture: Bytes,
    ) -> Result<bool, GatewayError> {
        let config = self.config()?;
        check_digest(digest, &picture)?;
        let metadata = self.named_metadata(work).await?;
        let metadata = self.metadata(&metadata).await?;
        let metadata = Metadata::read(&metadata).map_err(GatewayError::InvalidMetadata)?;
        if metadata.preview != Some(*digest) {
            return Err(GatewayError::NotNamed);
        }
        let permit = self.decoders.acquire().await.map_err(GatewayError::internal)?;
        let made = self.decoding.thumbnails(picture.to_vec()).await;
        drop(permit);
        let made = made.map_err(|error| match error {
            WorkerError::Refused(what) => RecognitionError::Unreadable(what).into(),
            WorkerError::TooCostly => RecognitionError::TooCostly.into(),
            failed @ WorkerError::Failed(_) => GatewayError::internal(failed),
        })?;
        let folder = config.folder.join(PICTURES);
        let path = |size| folder.join(picture_name(digest, size));
        let files = [
            (path(PictureSize::Small), &made.small[..]),
            (path(PictureSize::Large), &made.large[..]),
        ];
        self.keep(config, &files).await
    }

    fn config(&self) -> Result<&HostingConfig, GatewayError> {
        self.config.as_ref().ok_or(GatewayError::NotFound)
    }

    /// Returns the digest of the metadata that a work names now.
    async fn named_metadata(&self, work: &Pubkey) -> Result<Digest, GatewayError> {
        let account = self.cluster.chain().work(work).await?;
        let account = account.ok_or(GatewayError::UnknownWork(*work))?;
        Ok(Digest(account.metadata_digest))
    }

    async fn read(&self, kind: &str, name: &str) -> Result<Bytes, GatewayError> {
        let config = self.config.as_ref().ok_or(GatewayError::NotHosted)?;
        match fs::read(config.folder.join(kind).join(name)).await {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(GatewayError::NotHosted),
            Err(error) => Err(GatewayError::internal(error)),
        }
    }

    /// Writes files unless they exist. Returns whether they are new.
    async fn keep(
        &self,
        config: &HostingConfig,
        files: &[(PathBuf, &[u8])],
    ) -> Result<bool, GatewayError> {
        let mut used = self.used.lock().await;
        let last = files.last().map(|(path, _)| path.clone()).unwrap_or_default();
        if fs::try_exists(&last).await.unwrap_or(false) {
            return Ok(false);
        }
        let present = match *used {
            Some(present) => present,
            None => measure(&config.folder).await.map_err(unwritten)?,
        };
        let added = files.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
        let total = present.saturating_add(added);
        if total > config.keep_bytes {
            *used = Some(present);
            return Err(GatewayError::HostingFull);
        }
        for (path, bytes) in files {
            if let Err(error) = write(path, bytes).await {
                for (path, _) in files {
                    let _ = fs::remove_file(path).await; // a part of them is of no use
                }
                return Err(unwritten(error));
            }
        }
        *used = Some(total);
        Ok(true)
    }
}

fn picture_name(digest: &Digest, size: PictureSize) -> String {
    match size {
        PictureSize::Large => format!("{digest}-large.jpg"),
        PictureSize::Small => format!("{digest}-small.jpg"),
    }
}

fn check_digest(digest: &Digest, bytes: &[u8]) -> Result<(), GatewayError> {
    let is_same = content_digest(bytes) == digest.0;
    is_same.then_some(()).ok_or(GatewayError::WrongDigest)
}

fn unwritten(error: io::Error) -> GatewayError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => GatewayError::HostingDiskFull,
        _ => GatewayError::internal(error),
    }
}

/// Writes a file whole or not at all.
async fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).await?;
    }
    let partial = path.with_extension(PARTIAL);
    let written = async {
        let mut file = fs::File::create(&partial).await?;
        file.write_all(bytes).await?;
        file.flush().await?; // a write ends, and fails, in the background
        file.sync_all().await?;
        fs::rename(&partial, path).await
    };
    let written = written.await;
    if written.is_err() {
        let _ = fs::remove_file(&partial).await; // it would take up space
    }
    written
}

/// Returns the bytes of all files in the folder. Those that a killed process has left unfinished are removed.
async fn measure(folder: &Path) -> io::Result<u64> {
    let mut total = 0_u64;
    for kind in [METADATA, PICTURES] {
        let mut files = match fs::read_dir(folder.join(kind)).await {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        while let Some(file) = files.next_entry().await? {
            let (path, facts) = (file.path(), file.metadata().await?);
            let is_partial = path.extension().is_some_and(|ending| ending == PARTIAL);
            let age = facts.modified()?.elapsed().unwrap_or_default();
            if is_partial && age > UNFINISHED_AFTER {
                fs::remove_file(path).await?;
            } else {
                total = total.saturating_add(facts.len());
            }
        }
    }
    Ok(total)
}
