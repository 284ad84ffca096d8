use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use tokio::time::{Duration, Instant, sleep};

use crate::{
    durable_file::{self, LockError, LockFile, PRIVATE},
    gateway::GatewayError,
};

/// File of a payer's state, with its lock. Another file beside it, `<path>.lock`, is locked and names
/// the process that has it.
pub struct StateFile {
    path: PathBuf,
    file: File,
    /// Length of the records that were written since the last snapshot, bytes.
    appended: u64,
    /// Length of the last snapshot, bytes.
    snapshot: u64,
    /// Records that are written with the next urgent one.
    buffered: Vec<u8>,
    _lock: LockFile,
}

impl StateFile {
    /// Records after which the file is written anew, bytes; at least as long as four snapshots.
    const MAX_APPENDED: u64 = 64 << 20;

    /// Time for which a lock is waited for, because the last holder may be about to end.
    const MAX_WAIT: Duration = Duration::from_secs(1);
    const PAUSE: Duration = Duration::from_millis(20);

    /// Opens a file, or creates it, and locks it, at the latest after a second.
    ///
    /// # Errors
    /// [`GatewayError::StateLocked`], [`GatewayError::StateFailed`].
    pub async fn open_patiently(path: &Path) -> Result<Self, GatewayError> {
        let deadline = Instant::now() + Self::MAX_WAIT;
        loop {
            match Self::open(path) {
                Err(GatewayError::StateLocked { .. }) if Instant::now() < deadline => {
                    sleep(Self::PAUSE).await;
                }
                opened => return opened,
            }
        }
    }

    /// Opens a file, or creates it, and locks it.
    fn open(path: &Path) -> Result<Self, GatewayError> {
        let failed = |error| GatewayError::state_failed(path, error);
        let lock = lock(path)?;
        let file = durable_file::open(path, PRIVATE).map_err(failed)?;
        let path = path.to_owned();
        Ok(Self { path, file, appended: 0, snapshot: 0, buffered: Vec::new(), _lock: lock })
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// [`GatewayError::StateFailed`].
    pub fn read(&mut self) -> Result<Vec<u8>, GatewayError> {
        let mut bytes = Vec::new();
        let read =
            self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.read_to_end(&mut bytes));
        read.map_err(|error| GatewayError::state_failed(&self.path, error))?;
        Ok(bytes)
    }

    /// Replaces the file by a snapshot, durably.
    ///
    /// # Errors
    /// [`GatewayError::StateFailed`]: the file is as it was or, if its folder could not be synced, the
    /// snapshot. Nothing may be appended afterwards: this handle may be of the replaced file.
    pub fn rewrite(&mut self, snapshot: &[u8]) -> Result<(), GatewayError> {
        let file = durable_file::replace(&self.path, snapshot, PRIVATE);
        self.file = file.map_err(|error| GatewayError::state_failed(&self.path, error))?;
        (self.appended, self.snapshot) = (0, snapshot.len() as u64);
        self.buffered.clear();
        Ok(())
    }

    /// Appends a record. An urgent one is durable afterwards, with those before it.
    ///
    /// # Errors
    /// [`GatewayError::StateFailed`].
    pub fn append(&mut self, frame: &[u8], is_urgent: bool) -> Result<(), GatewayError> {
        self.buffered.extend_from_slice(frame);
        if !is_urgent {
            return Ok(());
        }
        self.flush()?;
        self.file.sync_data().map_err(|error| GatewayError::state_failed(&self.path, error))
    }

    /// Writes buffered records.
    ///
    /// # Errors
    /// [`GatewayError::StateFailed`].
    pub fn flush(&mut self) -> Result<(), GatewayError> {
        let written = self.file.write_all(&self.buffered);
        written.map_err(|error| GatewayError::state_failed(&self.path, error))?;
        self.appended = self.appended.saturating_add(self.buffered.len() as u64);
        self.buffered.clear();
        Ok(())
    }

    /// Has all writes fail from now on.
    #[cfg(test)]
    pub fn refuse_writes(&mut self) {
        self.file = File::open(&self.path).unwrap();
    }

    /// Returns whether a snapshot is due.
    pub fn is_long(&self) -> bool {
        self.appended > Self::MAX_APPENDED.max(self.snapshot.saturating_mul(4))
    }
}

/// Locks the file beside a state file.
fn lock(path: &Path) -> Result<LockFile, GatewayError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    LockFile::take(&beside).map_err(|error| match error {
        LockError::Held(holder) => GatewayError::StateLocked { path: path.to_owned(), holder },
        LockError::Io(error) => GatewayError::state_failed(&beside, error),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn second_process_error_names_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payer");
        let first = StateFile::open(&path).unwrap();
        let Err(GatewayError::StateLocked { holder, .. }) = StateFile::open(&path) else {
            panic!("the file is locked twice");
        };
        assert!(holder.contains(&std::process::id().to_string()), "{holder}");
        drop(first);
        StateFile::open(&path).unwrap();
    }

    #[test]
    fn snapshot_replaces_appended_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payer");
        let mut file = StateFile::open(&path).unwrap();
        file.append(b"one", false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        file.append(b"two", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"onetwo");
        file.rewrite(b"all").unwrap();
        file.append(b"more", true).unwrap();
        assert_eq!(file.read().unwrap(), b"allmore");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
