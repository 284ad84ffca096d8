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

use crate::ledger::HoldId;

/// Answers that are ready, in a folder, until some time after they can be paid for: whoever pays
/// gets them, also after a lost response and after a kill.
///
/// A file is a line of JSON, `Answer`, and the body. It is on disk before its voucher is.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    most_bytes: u64,
    index: Mutex<Index>,
    /// Locked for as long as this is open: two processes would remove each other's answers.
    _lock: File,
}

/// Everything about an answer but its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Names it: its hold, or for later parts of a stream [`motif_sdk::gateway::part_id`].
    pub id: Digest,
    /// Counts the parts of a stream from 0.
    pub part: u32,
    /// The channel that pays.
    pub channel: Address,
    /// Index of the license on the channel.
    pub license: u16,
    /// What it has used.
    pub units: u32,
    /// SHA-256 of the request.
    pub request_digest: Digest,
    /// SHA-256 of the body.
    pub output_digest: Digest,
    /// The request's method and target: it is paid for where it was asked for.
    pub target: String,
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Last unix second in which it can be paid for.
    pub expires_at: i64,
    /// Last unix second in which it is kept.
    pub kept_until: i64,
}

/// Why an answer is not kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It is full.
    #[error("the folder for answers is full")]
    Full,
    /// Another process keeps its answers there.
    #[error("another gateway keeps its answers there; name a folder of its own")]
    Taken,
    /// The disk fails.
    #[error("answers cannot be kept: {0}")]
    Disk(#[from] io::Error),
}

#[derive(Debug, Default)]
struct Index {
    kept: HashMap<HoldId, Kept>,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct Kept {
    answer: Arc<Answer>,
    bytes: u64,
    /// Whether it was paid for; not known of those that an earlier process kept.
    receipt: Option<SignedReceipt>,
    is_new: bool,
    /// Payments for it that are under way.
    payments: usize,
}

/// A payment that is under way: what it is for stays kept meanwhile.
#[derive(Debug)]
pub struct Paying {
    spool: Arc<Spool>,
    id: HoldId,
}

impl Spool {
    /// Answers that are kept at once; more would only be paid for by nobody.
    const MOST_ANSWERS: usize = 65_536;
    const ENDING: &str = "answer";

    /// Opens a folder, which is made where there is none, with what it keeps.
    ///
    /// # Errors
    /// [`SpoolError::Taken`], [`SpoolError::Disk`].
    pub fn open(folder: &Path, most_bytes: u64) -> Result<Self, SpoolError> {
        make(folder)?;
        let lock = File::create(folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut index = Index::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_answer = path.extension().is_some_and(|ending| ending == Self::ENDING);
            let answer = if is_answer { read(&path).map(|(answer, _)| answer).ok() } else { None };
            match answer {
                Some(answer) => {
                    let bytes = fs::metadata(&path)?.len();
                    index.insert(answer, bytes, false);
                }
                // What was being written when it was killed, or is not ours to read.
                None if is_answer || path.extension().is_some_and(|ending| ending == "writing") => {
                    fs::remove_file(&path)?;
                }
                None => {}
            }
        }
        let (folder, index) = (folder.to_owned(), Mutex::new(index));
        Ok(Self { folder, most_bytes, index, _lock: lock })
    }

    /// Keeps an answer; it is on disk when this returns.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn put(self: &Arc<Self>, answer: Answer, body: Bytes) -> Result<(), SpoolError> {
        let head = serde_json::to_vec(&answer).map_err(io::Error::other)?;
        let bytes = (head.len() + 1 + body.len()) as u64;
        {
            let mut index = self.index();
            let has_room = index.bytes + bytes <= self.most_bytes;
            if !has_room || index.kept.len() >= Self::MOST_ANSWERS {
                return Err(SpoolError::Full);
            }
            index.bytes += bytes; // set aside while it is written
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

    /// What is kept under this name.
    pub fn find(&self, id: &HoldId) -> Option<Arc<Answer>> {
        self.index().kept.get(id).map(|kept| kept.answer.clone())
    }

    /// What is kept under this name, for a payment that begins.
    pub fn pay(self: &Arc<Self>, id: &HoldId) -> Option<Paying> {
        self.index().kept.get_mut(id)?.payments += 1;
        Some(Paying { spool: self.clone(), id: *id })
    }

    /// Keeps it no longer, unless it was paid for or is about to be.
    pub async fn give_up(&self, id: &HoldId) {
        let is_wanted = |kept: &Kept| kept.payments > 0 || kept.receipt.is_some();
        if !self.index().kept.get(id).is_some_and(is_wanted) {
            self.remove(vec![*id]).await;
        }
    }

    /// The receipt that it was paid with, if this process has seen it.
    pub fn receipt(&self, id: &HoldId) -> Option<SignedReceipt> {
        self.index().kept.get(id).and_then(|kept| kept.receipt)
    }

    /// It was paid for.
    pub fn paid(&self, id: &HoldId, receipt: SignedReceipt) {
        if let Some(kept) = self.index().kept.get_mut(id) {
            kept.receipt = Some(receipt);
        }
    }

    /// How many of a channel's answers can still be paid for, and were not.
    pub fn unpaid(&self, channel: Address, now: i64) -> usize {
        let index = self.index();
        let open = |kept: &&Kept| {
            let can = kept.is_new && kept.answer.expires_at >= now;
            can && kept.answer.channel == channel && kept.receipt.is_none()
        };
        index.kept.values().filter(open).count()
    }

    /// The body of what is kept; `None` when it is no longer.
    ///
    /// # Errors
    /// [`SpoolError::Disk`].
    pub async fn body(&self, id: &HoldId) -> Result<Option<Bytes>, SpoolError> {
        let path = self.path(id);
        let body = tokio::task::spawn_blocking(move || read_body(&path)).await;
        match body.map_err(io::Error::other)? {
            Ok(body) => Ok(Some(body.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps it no longer.
    async fn remove(&self, ids: Vec<HoldId>) {
        let paths: Vec<_> = {
            let mut index = self.index();
            ids.iter().filter_map(|id| index.remove(id).map(|_| self.path(id))).collect()
        };
        // What cannot be removed now is when the folder is opened again and it is over.
        let _ = tokio::task::spawn_blocking(move || {
            paths.iter().for_each(|path| drop(fs::remove_file(path)));
        })
        .await;
    }

    /// Removes what is over.
    pub async fn sweep(&self, now: i64) {
        let over = |(id, kept): (&HoldId, &Kept)| {
            let is_over = kept.answer.kept_until < now && kept.payments == 0;
            is_over.then_some(*id)
        };
        let over: Vec<_> = self.index().kept.iter().filter_map(over).collect();
        if !over.is_empty() {
            self.remove(over).await;
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: &HoldId) -> PathBuf {
        self.folder.join(format!("{}.{}", Digest(*id), Self::ENDING))
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

    fn remove(&mut self, id: &HoldId) -> Option<Kept> {
        let removed = self.kept.remove(id)?;
        self.bytes -= removed.bytes;
        Some(removed)
    }
}

impl Drop for Paying {
    fn drop(&mut self) {
        if let Some(kept) = self.spool.index().kept.get_mut(&self.id) {
            kept.payments = kept.payments.saturating_sub(1);
        }
    }
}

/// A folder that only its owner reads: what is in it costs something.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write(folder: &Path, path: &Path, head: &[u8], body: &[u8]) -> io::Result<()> {
    let writing = path.with_extension("writing");
    let written = write_as(&writing, head, body).and_then(|()| fs::rename(&writing, path));
    if written.is_err() {
        // What is left of it would take room.
        let _ = fs::remove_file(&writing);
    }
    written?;
    // The name has to be on disk as well as what it names.
    File::open(folder)?.sync_all()
}

fn write_as(path: &Path, head: &[u8], body: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
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
    async fn what_is_kept_is_there_after_a_kill_until_it_is_over() {
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
    async fn what_is_being_paid_for_is_not_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::open(folder.path(), 10_000).unwrap());
        spool.put(answer(1, 10), Bytes::from_static(b"body")).await.unwrap();
        let paying = spool.pay(&[1; 32]).unwrap();
        spool.give_up(&[1; 32]).await;
        spool.sweep(11).await;
        assert!(spool.find(&[1; 32]).is_some());
        drop(paying);
        spool.give_up(&[1; 32]).await;
        assert!(spool.find(&[1; 32]).is_none());
        assert!(spool.pay(&[1; 32]).is_none());
    }

    #[tokio::test]
    async fn a_full_folder_takes_nothing_and_has_room_again() {
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
