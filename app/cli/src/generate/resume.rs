use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use motif_sdk::gateway::PaidRequest;
use serde::{Deserialize, Serialize};

/// Record of a request in flight. Repeating the request with its idempotency key returns what was
/// paid for, and pays once.
pub struct PendingRequest {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Record {
    url: String,
    key: String,
    expires_at: i64,
}

impl PendingRequest {
    /// Resumes a request that an earlier run sent, or records that this run sends it.
    ///
    /// # Errors
    /// An I/O error if the record cannot be written; the request must not be sent then.
    pub fn resume_or_create(
        folder: &Path,
        request: &mut PaidRequest,
        digest: &[u8; 32],
    ) -> io::Result<Self> {
        let pending = Self { path: folder.join(format!("pending-{}.json", hex::encode(digest))) };
        let record: Option<Record> =
            fs::read(&pending.path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let record = record.filter(|record| record.url == request.url);
        match record.and_then(|record| Some((record.key.parse().ok()?, record.expires_at))) {
            Some((key, expires_at)) => {
                (request.key, request.expires_at, request.is_resumed) = (key, expires_at, true);
            }
            None => pending.write(request)?,
        }
        Ok(pending)
    }

    /// Records a request before it is sent.
    ///
    /// # Errors
    /// As [`PendingRequest::resume_or_create`].
    pub fn write(&self, request: &PaidRequest) -> io::Result<()> {
        let (url, key) = (request.url.clone(), request.key.to_string());
        let record = Record { url, key, expires_at: request.expires_at };
        write_atomically(&self.path, &serde_json::to_vec(&record)?)
    }

    /// Deletes the record of a request that was answered or definitely rejected.
    pub fn finish(&self) {
        // A record that stays behind is found to be over by the next run.
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a file as a whole or not at all, and syncs it.
///
/// # Errors
/// An I/O error.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = path.with_file_name(format!(".{name}.writing"));
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
