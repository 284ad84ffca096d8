use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Bytes;
use motif_sdk::{
    gateway::wire::{Address, Digest},
    receipt::SignedReceipt,
};
use serde::{Deserialize, Serialize};

use crate::engine::{AnswerId, AnswerKey};

/// Folder of generated answers. Each is stored until some time after its payment deadline, so
/// that its payer can fetch it again after a lost response or a crash.
///
/// A file is a line of JSON (`Answer`) and the body. It is durable before its voucher is.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    max_bytes: u64,
    index: Mutex<Index>,
    /// Held while the spool is open, so that no other process removes its answers.
    _lock: File,
}

/// Metadata of a stored answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Identifier: the hold, or [`motif_sdk::gateway::part_id`] for later parts of a stream.
    pub id: Digest,
    /// Index of the part in its stream; 0 for whole answers.
    pub part: u32,
    /// Channel that pays.
    pub channel: Address,
    /// Index of the license on the channel.
    pub license: u16,
    /// Used units.
    pub units: u32,
    /// SHA-256 of the request.
    pub request_digest: Digest,
    /// SHA-256 of the body.
    pub output_digest: Digest,
    /// Method and target of the request; payments must use the same.
    pub target: String,
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: Vec<(String, String)>,
    /// Last Unix second in which it can be paid for.
    pub expires_at: i64,
    /// Last Unix second in which it is stored.
    pub kept_until: i64,
}

impl Answer {
    /// Returns the key under which the answer is paid for.
    pub fn key(&self) -> AnswerKey {
        AnswerKey { channel: self.channel.0, id: self.id.0, part: self.part }
    }
}

/// Error of the spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The spool is full.
    #[error("the folder of stored answers is full")]
    Full,
    /// Another process uses the folder.
    #[error("the folder is in use by another gateway; expected a folder per process")]
    Taken,
    /// A file operation failed.
    #[error("cannot access stored answers: {0}")]
    Disk(#[from] io::Error),
}

#[derive(Debug, Default)]
struct Index {
    kept: HashMap<AnswerId, Kept>,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct Kept {
    answer: Arc<Answer>,
    bytes: u64,
    /// Receipt, if this process has seen the payment.
    receipt: Option<SignedReceipt>,
    /// Whether this process stored it.
    is_new: bool,
    /// Number of payments in progress.
    payments: usize,
}

/// Guard of a payment in progress; its answer is not removed before the drop.
#[derive(Debug)]
pub struct PaymentGuard {
    spool: Arc<Spool>,
    id: AnswerId,
}

impl Spool {
    /// Maximum number of stored answers.
    const MAX_ANSWERS: usize = 65_536;
    const EXTENSION: &str = "answer";

    /// Opens a folder with its stored answers; creates it if it does not exist.
    ///
    /// # Errors
    /// [`SpoolError::Taken`], [`SpoolError::Disk`].
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        create_folder(folder)?;
        let lock = File::create(folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut index = Index::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_answer = path.extension().is_some_and(|ending| ending == Self::EXTENSION);
            let answer = if is_answer { read(&path).map(|(answer, _)| answer).ok() } else { None };
            match answer {
                Some(answer) => {
                    let bytes = fs::metadata(&path)?.len();
                    index.insert(answer, bytes, false);
                }
                // Partial write of a killed process, or an unreadable answer.
                None if is_answer || path.extension().is_some_and(|ending| ending == "writing") => {
                    fs::remove_file(&path)?;
                }
                None => {}
            }
        }
        let (folder, index) = (folder.to_owned(), Mutex::new(index));
        Ok(Self { folder, max_bytes, index, _lock: lock })
    }

    /// Stores an answer durably.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn put(self: &Arc<Self>, answer: Answer, body: Bytes) -> Result<(), SpoolError> {
        let head = serde_json::to_vec(&answer).map_err(io::Error::other)?;
        let bytes = (head.len() + 1 + body.len()) as u64;
        {
            let mut index = self.index();
            let has_room = index.bytes + bytes <= self.max_bytes;
            if !has_room || index.kept.len() >= Self::MAX_ANSWERS {
                return Err(SpoolError::Full);
            }
            index.bytes += bytes; // reserved while the file is written
        }
        let (folder, path) = (self.folder.clone(), self.path(&answer.id.0));
        let written = tokio::task::spawn_blocking(move || write(&folder, &path, &head, &body));
        let written = written.await.map_err(io::Error::other).and_then(|written| written);
        let mut index = self.index();
        index.bytes -= bytes;
        written?;
        index.insert(answer, bytes, true);
        Ok(())
    }

    /// Returns the stored answer with this identifier.
    pub fn find(&self, id: &AnswerId) -> Option<Arc<Answer>> {
        self.index().kept.get(id).map(|kept| kept.answer.clone())
    }

    /// Protects a stored answer from removal during its payment.
    pub fn begin_payment(self: &Arc<Self>, id: &AnswerId) -> Option<PaymentGuard> {
        self.index().kept.get_mut(id)?.payments += 1;
        Some(PaymentGuard { spool: self.clone(), id: *id })
    }

    /// Removes an answer unless it is paid for or its payment is in progress.
    pub async fn discard_unpaid(&self, id: &AnswerId) {
        let is_wanted = |kept: &Kept| kept.payments > 0 || kept.receipt.is_some();
        if !self.index().kept.get(id).is_some_and(is_wanted) {
            self.remove(vec![*id]).await;
        }
    }

    /// Returns the receipt of an answer if this process has seen the payment.
    pub fn receipt(&self, id: &AnswerId) -> Option<SignedReceipt> {
        self.index().kept.get(id).and_then(|kept| kept.receipt)
    }

    /// Records the receipt of a paid answer.
    pub fn mark_paid(&self, id: &AnswerId, receipt: SignedReceipt) {
        if let Some(kept) = self.index().kept.get_mut(id) {
            kept.receipt = Some(receipt);
        }
    }

    /// Returns the number of a channel's unpaid answers before their payment deadline.
    pub fn unpaid(&self, channel: Address, now: i64) -> usize {
        let index = self.index();
        let open = |kept: &&Kept| {
            let can = kept.is_new && kept.answer.expires_at >= now;
            can && kept.answer.channel == channel && kept.receipt.is_none()
        };
        index.kept.values().filter(open).count()
    }

    /// Returns the body of a stored answer, or `None` if there is none.
    ///
    /// # Errors
    /// [`SpoolError::Disk`].
    pub async fn body(&self, id: &AnswerId) -> Result<Option<Bytes>, SpoolError> {
        let path = self.path(id);
        let body = tokio::task::spawn_blocking(move || read_body(&path)).await;
        match body.map_err(io::Error::other)? {
            Ok(body) => Ok(Some(body.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes answers.
    async fn remove(&self, ids: Vec<AnswerId>) {
        let paths: Vec<_> = {
            let mut index = self.index();
            ids.iter().filter_map(|id| index.remove(id).map(|_| self.path(id))).collect()
        };
        // A file whose removal fails is loaded by the next `open` and expires again.
        let _ = tokio::task::spawn_blocking(move || {
            paths.iter().for_each(|path| drop(fs::remove_file(path)));
        })
        .await;
    }

    /// Removes expired answers.
    pub async fn sweep(&self, now: i64) {
        let expired = |(id, kept): (&AnswerId, &Kept)| {
            let is_expired = kept.answer.kept_until < now && kept.payments == 0;
            is_expired.then_some(*id)
        };
        let expired: Vec<_> = self.index().kept.iter().filter_map(expired).collect();
        if !expired.is_empty() {
            self.remove(expired).await;
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: &AnswerId) -> PathBuf {
        self.folder.join(format!("{}.{}", Digest(*id), Self::EXTENSION))
    }
}

impl Index {
    fn insert(&mut self, answer: Answer, bytes: u64, is_new: bool) {
        let id = answer.id.0;
        let kept = Kept { answer: Arc::new(answer), bytes, receipt: None, is_new, payments: 0 };
        self.bytes += bytes;
        if let Some(replaced) = self.kept.insert(id, kept) {
            self.bytes -= replaced.bytes;
        }
    }

    fn remove(&mut self, id: &AnswerId) -> Option<Kept> {
        let removed = self.kept.remove(id)?;
        self.bytes -= removed.bytes;
        Some(removed)
    }
}

impl Drop for PaymentGuard {
    fn drop(&mut self) {
        if let Some(kept) = self.spool.index().kept.get_mut(&self.id) {
            kept.payments = kept.payments.saturating_sub(1);
        }
    }
}

/// Creates a folder that only its owner can read.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write(folder: &Path, path: &Path, head: &[u8], body: &[u8]) -> io::Result<()> {
    let writing = path.with_extension("writing");
    let written = write_file(&writing, head, body).and_then(|()| fs::rename(&writing, path));
    if written.is_err() {
        // A partial file would take up space.
        let _ = fs::remove_file(&writing);
    }
    written?;
    // Makes the rename durable, too.
    File::open(folder)?.sync_all()
}

fn write_file(path: &Path, head: &[u8], body: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(head)?;
    file.write_all(b"\n")?;
    file.write_all(body)?;
    file.sync_all()
}

fn read(path: &Path) -> io::Result<(Answer, BufReader<File>)> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut head = String::new();
    reader.read_line(&mut head)?;
    Ok((serde_json::from_str(&head)?, reader))
}

fn read_body(path: &Path) -> io::Result<Vec<u8>> {
    let (_, mut reader) = read(path)?;
    let mut body = Vec::new();
    reader.read_to_end(&mut body)?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: u8, kept_until: i64) -> Answer {
        Answer {
            id: Digest([id; 32]),
            part: 0,
            channel: Address([1; 32].into()),
            license: 0,
            units: 1,
            request_digest: Digest([2; 32]),
            output_digest: Digest([3; 32]),
            target: "POST /images".into(),
            status: 200,
            headers: vec![("content-type".into(), "text/plain".into())],
            expires_at: 5,
            kept_until,
        }
    }

    #[tokio::test]
    async fn answer_survives_crash_until_expiry() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::open(folder.path(), 10_000).unwrap());
        spool.put(answer(1, 10), Bytes::from_static(b"line\nbody")).await.unwrap();
        fs::write(folder.path().join("half.writing"), "{").unwrap();
        assert!(matches!(Spool::open(folder.path(), 10_000), Err(SpoolError::Taken)));
        drop(spool);
        let spool = Arc::new(Spool::open(folder.path(), 10_000).unwrap());
        assert_eq!(*spool.find(&[1; 32]).unwrap(), answer(1, 10));
        assert_eq!(spool.body(&[1; 32]).await.unwrap().unwrap(), "line\nbody");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "with the lock");
        spool.sweep(10).await;
        assert!(spool.find(&[1; 32]).is_some());
        spool.sweep(11).await;
        assert!(spool.find(&[1; 32]).is_none());
        assert_eq!(spool.body(&[1; 32]).await.unwrap(), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn answer_in_payment_is_not_discarded() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::open(folder.path(), 10_000).unwrap());
        spool.put(answer(1, 10), Bytes::from_static(b"body")).await.unwrap();
        let payment = spool.begin_payment(&[1; 32]).unwrap();
        spool.discard_unpaid(&[1; 32]).await;
        spool.sweep(11).await;
        assert!(spool.find(&[1; 32]).is_some());
        drop(payment);
        spool.discard_unpaid(&[1; 32]).await;
        assert!(spool.find(&[1; 32]).is_none());
        assert!(spool.begin_payment(&[1; 32]).is_none());
    }

    #[tokio::test]
    async fn full_spool_accepts_after_sweep() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::open(folder.path(), 1_500).unwrap());
        spool.put(answer(1, 10), vec![0; 500].into()).await.unwrap();
        let full = spool.put(answer(2, 20), vec![0; 500].into()).await;
        assert!(matches!(full, Err(SpoolError::Full)));
        assert_eq!(spool.unpaid(Address([1; 32].into()), 5), 1);
        spool.sweep(11).await;
        spool.put(answer(2, 20), vec![0; 500].into()).await.unwrap();
    }
}
