use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use motif_sdk::gateway::PaidRequest;
use serde::{Deserialize, Serialize};

/// A request that was sent, or is about to be: whoever repeats it under its key gets what it has
/// paid for, and pays once.
pub struct Pending {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Sent {
    url: String,
    key: String,
    expires_at: i64,
}

impl Pending {
    /// Takes up a request that an earlier run has sent, or notes that this one will.
    ///
    /// # Errors
    /// The file cannot be written; then nothing may be sent.
    pub fn take_up(
        folder: &Path,
        request: &mut PaidRequest,
        digest: &[u8; 32],
    ) -> io::Result<Self> {
        let pending = Self { path: folder.join(format!("pending-{}.json", hex::encode(digest))) };
        let sent: Option<Sent> =
            fs::read(&pending.path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let sent = sent.filter(|sent| sent.url == request.url);
        match sent.and_then(|sent| Some((sent.key.parse().ok()?, sent.expires_at))) {
            Some((key, expires_at)) => {
                (request.key, request.expires_at, request.is_resumed) = (key, expires_at, true);
            }
            None => pending.note(request)?,
        }
        Ok(pending)
    }

    /// Notes a request before it is sent.
    ///
    /// # Errors
    /// As [`Pending::take_up`].
    pub fn note(&self, request: &PaidRequest) -> io::Result<()> {
        let (url, key) = (request.url.clone(), request.key.to_string());
        let sent = Sent { url, key, expires_at: request.expires_at };
        put(&self.path, &serde_json::to_vec(&sent)?)
    }

    /// It is answered, or was refused for good.
    pub fn done(&self) {
        // Left behind, it is found to be over the next time.
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a file whole or not at all; it is on disk when this returns.
///
/// # Errors
/// What the system says.
pub fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let writing = path.with_file_name(format!(".{name}.writing"));
    let mut file = File::create(&writing)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&writing, path)
}
