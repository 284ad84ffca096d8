use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use motif_sdk::gateway::{IdempotencyKey, PaidRequest};
use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hashv;

use crate::{callers::Caller, clock::now, problem::PayerError};

/// Requests with an idempotency key of the client: a repeated one is sent to the paywall as it was, and so is
/// paid once, also by the next process.
pub struct RequestLog {
    path: PathBuf,
    entries: Mutex<(HashMap<String, i64>, File)>,
}

/// Line of the log.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// Idempotency key at the paywall.
    key: String,
    /// Last unix second in which the answer can be paid.
    expires_at: i64,
}

impl RequestLog {
    /// Time for which a key is kept after its hold, seconds.
    const KEPT_SECONDS: i64 = 86_400;

    /// Opens a log and leaves out what has expired.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn open(path: &Path) -> Result<Self, PayerError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| PayerError::state(path, error))?,
        };
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        let kept = entries.filter(|entry| entry.expires_at + Self::KEPT_SECONDS > now());
        let kept: HashMap<_, _> = kept.map(|entry| (entry.key, entry.expires_at)).collect();
        let rewrite = || -> std::io::Result<File> {
            let temporary = path.with_extension("writing");
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&temporary)?;
            for (key, expires_at) in &kept {
                write_line(&mut file, key, *expires_at)?;
            }
            fs::rename(&temporary, path)?;
            Ok(file)
        };
        let file = rewrite().map_err(|error| PayerError::state(path, error))?;
        Ok(Self { path: path.to_owned(), entries: Mutex::new((kept, file)) })
    }

    /// Gives a request the key that belongs to the client's, and the expiry with which it was sent first.
    /// The line survives the process before the request is sent.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn name(
        &self,
        request: &mut PaidRequest,
        caller: &Caller,
        key: &IdempotencyKey,
    ) -> Result<(), PayerError> {
        // Other callers' keys and other URLs are other requests.
        let parts =
            [caller.as_bytes(), &[0], request.url.as_bytes(), &[0], key.as_str().as_bytes()];
        let own = hex::encode(hashv(&parts).to_bytes());
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, file) = &mut *entries;
        if let Some(expires_at) = known.get(&own) {
            request.expires_at = *expires_at;
        } else {
            write_line(file, &own, request.expires_at)
                .map_err(|error| PayerError::state(&self.path, error))?;
            known.retain(|_, expires_at| *expires_at + Self::KEPT_SECONDS > now());
            known.insert(own.clone(), request.expires_at);
        }
        // 64 hexadecimal digits.
        request.key = own.parse().unwrap_or_else(|_| IdempotencyKey::random());
        Ok(())
    }
}

fn write_line(file: &mut File, key: &str, expires_at: i64) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(&Entry { key: key.to_owned(), expires_at })?;
    line.push(b'\n');
    file.write_all(&line)
}

#[cfg(test)]
mod tests {
    use motif_sdk::gateway::{Method, PaidUnits};

    use super::*;

    fn request(url: &str, expires_at: i64) -> PaidRequest {
        PaidRequest {
            method: Method::POST,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            license: 0,
            units: PaidUnits::Exactly(1),
            key: IdempotencyKey::random(),
            expires_at,
        }
    }

    #[test]
    fn repeated_request_keeps_key_and_expiry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let (ana, ben) = (Caller::from("ana"), Caller::from("ben"));
        let key = "same-key".parse().unwrap();
        let end = now() + 100;
        let mut first = request("https://a.example/", end);
        RequestLog::open(&path).unwrap().name(&mut first, &ana, &key).unwrap();
        let log = RequestLog::open(&path).unwrap();
        let mut again = request("https://a.example/", end + 50);
        log.name(&mut again, &ana, &key).unwrap();
        assert_eq!(first, again);
        for (url, caller) in [("https://a.example/", &ben), ("https://b.example/", &ana)] {
            let mut other = request(url, end + 50);
            log.name(&mut other, caller, &key).unwrap();
            assert_ne!(other.key, first.key);
            assert_eq!(other.expires_at, end + 50);
        }
    }
}
