mod answer_file;

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use motif_sdk::{
    gateway::wire::{Address, Digest},
    receipt::{Receipt, SignedReceipt},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    engine::{AnswerId, AnswerKey},
    stored_body::{AtEnd, StoredBody},
};

use self::answer_file::{create_folder, head_of, open_body, read, set_aside, write};

/// Folder of generated answers. Each is stored until some time after its payment deadline, so
/// that its payer can fetch it again after a lost response or a crash.
///
/// A file is a line, the SHA-256 of the metadata and the metadata as JSON (`Answer`), and the body. It is durable
/// before its voucher is. Both digests are verified when they are read. A file that was changed is kept under
/// the extension `damaged`, and its answer is no longer stored.
///
/// Room is set aside before an answer is generated. When it is needed, answers that were sent are removed:
/// those of which the client has shown that it has them, those that were sent two minutes ago, and the
/// channel's own above its share. The others stay, since a client that was sent an answer may not have received it.
/// Once half of the room is taken, a channel has a share only.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    max_bytes: u64,
    index: Mutex<Index>,
    /// Number of damaged files that were found when the folder was opened.
    damaged: usize,
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
    /// Whether it is paid by a transfer to a till, by the wallet `channel`.
    #[serde(default)]
    pub is_sale: bool,
}

impl Answer {
    /// Returns the key under which the answer is paid for.
    pub fn key(&self) -> AnswerKey {
        AnswerKey { channel: self.channel.0, id: self.id.0, part: self.part }
    }

    /// Returns whether a receipt of this key is for this answer: a payer may capture its hold with
    /// other units or another output.
    pub fn is_paid_by(&self, receipt: &Receipt) -> bool {
        (receipt.license, receipt.units) == (self.license, self.units)
            && receipt.request_digest == self.request_digest.0
            && receipt.output_digest == self.output_digest.0
    }
}

/// Error of the spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The spool is full.
    #[error("the folder of stored answers is full")]
    Full,
    /// The disk is full.
    #[error("the disk of stored answers is full")]
    DiskFull,
    /// Another response has the answer's body.
    #[error("another response has the body of the stored answer")]
    Busy,
    /// The answer's file was changed since it was written.
    #[error("the stored answer was changed on disk")]
    Damaged,
    /// Another process uses the folder.
    #[error("the folder is in use by another gateway; expected a folder per process")]
    Taken,
    /// A file operation failed.
    #[error("cannot access stored answers: {0}")]
    Disk(#[source] io::Error),
}

impl From<io::Error> for SpoolError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Disk(error),
        }
    }
}

/// Room for one answer, set aside for a channel; returned on drop.
#[derive(Debug)]
pub struct Room {
    spool: Arc<Spool>,
    channel: Address,
    bytes: u64,
}

#[derive(Debug, Default)]
struct Index {
    kept: HashMap<AnswerId, Kept>,
    by_channel: HashMap<Address, HashSet<AnswerId>>,
    /// Bytes of stored answers and of rooms.
    bytes: u64,
    /// Bytes of rooms by channel.
    reserved: HashMap<Address, u64>,
    /// Number of deliveries so far, which orders delivered answers.
    deliveries: u64,
}

/// Newest time at which an answer was sent to its end.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    number: u64,
    at: Instant,
    /// Whether the client has shown that it has the answer.
    is_confirmed: bool,
}

#[derive(Clone, Debug)]
struct Kept {
    answer: Arc<Answer>,
    bytes: u64,
    /// Receipt, if this process has seen the payment.
    receipt: Option<SignedReceipt>,
    /// Whether a transfer to a till has paid for it.
    is_sold: bool,
    /// Last Unix second in which it is stored.
    kept_until: i64,
    /// Whether its hold was released, so that it cannot be paid for.
    is_released: bool,
    /// Whether this process stored it.
    is_new: bool,
    /// Number of payments in progress.
    payments: usize,
    /// Newest complete delivery by this process.
    delivered: Option<Delivery>,
    /// Permit of the one response that has the body.
    turn: Arc<Semaphore>,
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
    const DAMAGED: &str = "damaged";
    /// Bytes of an answer's file besides its body.
    const HEAD_BYTES: u64 = 16 * 1_024;
    /// Fraction of the room that a channel has when more than half is taken.
    const SHARES: u64 = 16;
    /// Maximum wait for another response with the same body.
    const MAX_TURN: Duration = Duration::from_secs(10);
    /// Time after its payment deadline at which an unpaid answer is overdue: vouchers may be on
    /// their way.
    const GRACE_SECONDS: i64 = 60;
    /// Time for which an answer that was sent makes no room for other channels: its client may not have
    /// received it.
    const RETRY_WITHIN: Duration = Duration::from_secs(120);

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
        let (mut index, mut damaged) = (Index::default(), 0);
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let has_extension = |name| path.extension().is_some_and(|ending| ending == name);
            if has_extension("writing") {
                fs::remove_file(&path)?; // partial write of a killed process
            } else if has_extension(Self::EXTENSION) {
                match read(&path) {
                    Ok((answer, ..)) => index.insert(answer, fs::metadata(&path)?.len(), false),
                    Err(SpoolError::Damaged) => {
                        set_aside(&path);
                        damaged += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let (folder, index) = (folder.to_owned(), Mutex::new(index));
        Ok(Self { folder, max_bytes, index, damaged, _lock: lock })
    }

    /// Returns the number of damaged files that were found when the folder was opened.
    pub fn damaged_at_open(&self) -> usize {
        self.damaged
    }

    /// Sets room aside for an answer of at most `body_bytes`.
    ///
    /// # Errors
    /// [`SpoolError::Full`] if there is no room even without delivered answers, or most of it is taken
    /// and the channel has its share.
    pub fn reserve(
        self: &Arc<Self>,
        channel: Address,
        body_bytes: u64,
    ) -> Result<Room, SpoolError> {
        let bytes = body_bytes.saturating_add(Self::HEAD_BYTES).min(self.max_bytes);
        let (evicted, is_free) = {
            let mut index = self.index();
            let share = (self.max_bytes / Self::SHARES).max(bytes);
            let evicted = index.evict(channel, (bytes, share), self.max_bytes);
            let all = index.bytes + bytes;
            let is_free = all <= self.max_bytes
                && index.kept.len() < Self::MAX_ANSWERS
                && (all <= self.max_bytes / 2 || index.waiting(channel) + bytes <= share);
            if is_free {
                index.bytes = all;
                *index.reserved.entry(channel).or_default() += bytes;
            }
            (evicted, is_free)
        };
        self.delete(&evicted);
        if is_free {
            Ok(Room { spool: self.clone(), channel, bytes })
        } else {
            Err(SpoolError::Full)
        }
    }

    /// Stores an answer durably, in the room that was set aside for it.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn put(
        self: &Arc<Self>,
        answer: Answer,
        body: Bytes,
        mut room: Room,
    ) -> Result<(), SpoolError> {
        let head = head_of(&answer)?;
        let bytes = (head.len() + 1 + body.len()) as u64;
        if !room.resize(bytes) {
            return Err(SpoolError::Full);
        }
        let (folder, path) = (self.folder.clone(), self.path(&answer.id.0));
        let written = tokio::task::spawn_blocking(move || write(&folder, &path, &head, &body));
        written.await.map_err(io::Error::other).and_then(|written| written)?;
        self.index().insert(answer, bytes, true);
        drop(room);
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
        let is_wanted = |kept: &Kept| kept.payments > 0 || kept.is_paid();
        if !self.index().kept.get(id).is_some_and(is_wanted) {
            self.remove(vec![*id]).await;
        }
    }

    /// Frees the place of an answer whose hold is released, and removes it without waiting. A payment in
    /// progress fails, or has captured the hold: then the answer is kept.
    pub fn release(&self, id: &AnswerId) {
        let mut index = self.index();
        let Some(kept) = index.kept.get_mut(id).filter(|kept| !kept.is_paid()) else { return };
        kept.is_released = true;
        if kept.payments == 0 {
            index.remove(id);
            drop(index);
            self.delete(&[*id]);
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

    /// Records that a transfer to a till has paid for an answer, which is stored until a time at least.
    pub(crate) fn mark_sold(&self, id: &AnswerId, kept_until: i64) {
        if let Some(kept) = self.index().kept.get_mut(id) {
            kept.is_sold = true;
            kept.kept_until = kept.kept_until.max(kept_until);
        }
    }

    /// Returns the number of a channel's unpaid answers before their payment deadline.
    pub fn unpaid(&self, channel: Address, now: i64) -> usize {
        let index = self.index();
        let open = |kept: &&Kept| {
            let can = kept.is_new && kept.answer.expires_at >= now && !kept.is_released;
            can && !kept.is_paid()
        };
        index.of_channel(&channel).filter(open).count()
    }

    /// Returns the body of a stored answer, or `None` if there is none. Waits while another response
    /// has it.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`] if its file was changed, after which the answer is no longer stored;
    /// [`SpoolError::Busy`], [`SpoolError::Disk`].
    pub async fn body(self: &Arc<Self>, id: &AnswerId) -> Result<Option<StoredBody>, SpoolError> {
        let kept = self.index().kept.get(id).map(|kept| (kept.turn.clone(), kept.answer.clone()));
        let Some((turn, answer)) = kept else { return Ok(None) };
        let turn = timeout(Self::MAX_TURN, turn.acquire_owned()).await;
        let turn = turn.map_err(|_| SpoolError::Busy)?.map_err(io::Error::other)?;
        let (spool, id, path) = (self.clone(), *id, self.path(id));
        let opened = tokio::task::spawn_blocking(move || open_body(&path, &answer)).await;
        match opened.map_err(io::Error::other)? {
            Ok((file, left)) => {
                let at_end = AtEnd(Box::new(move || spool.mark_delivered(&id)));
                Ok(Some(StoredBody { file, left, turn, at_end }))
            }
            Err(SpoolError::Disk(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(SpoolError::Damaged) => {
                if self.index().remove(&id).is_some() {
                    set_aside(&self.path(&id));
                }
                Err(SpoolError::Damaged)
            }
            Err(error) => Err(error),
        }
    }

    /// Records that an answer was sent to its end.
    pub(crate) fn mark_delivered(&self, id: &AnswerId) {
        let mut index = self.index();
        index.deliveries += 1;
        let number = index.deliveries;
        if let Some(kept) = index.kept.get_mut(id) {
            let is_confirmed = kept.delivered.is_some_and(|delivery| delivery.is_confirmed);
            kept.delivered = Some(Delivery { number, at: Instant::now(), is_confirmed });
        }
    }

    /// Records that the client has an answer that was sent, such as a part of a stream after which it has
    /// paid for another: it makes room at once.
    pub(crate) fn confirm_delivery(&self, id: &AnswerId) {
        let mut index = self.index();
        if let Some(delivery) = index.kept.get_mut(id).and_then(|kept| kept.delivered.as_mut()) {
            delivery.is_confirmed = true;
        }
    }

    /// Returns whether a later part of a stream can be paid for. Until its payment deadline, and a while
    /// longer, an unpaid part is not removed.
    pub(crate) fn is_payable(&self, part: &AnswerId, now: i64) -> bool {
        let can_be =
            |kept: &Kept| kept.answer.part > 0 && kept.answer.expires_at >= now && !kept.is_paid();
        self.index().kept.get(part).is_some_and(can_be)
    }

    /// Returns answers of this process without a known payment whose deadline has passed or whose hold is
    /// released.
    pub(crate) fn overdue(&self, now: i64) -> Vec<Arc<Answer>> {
        let is_overdue = |kept: &&Kept| {
            let is_late = kept.answer.expires_at.saturating_add(Self::GRACE_SECONDS) < now;
            (is_late || kept.is_released) && kept.is_new && !kept.is_paid() && kept.payments == 0
        };
        let index = self.index();
        index.kept.values().filter(is_overdue).map(|kept| kept.answer.clone()).collect()
    }

    /// Removes answers.
    async fn remove(&self, ids: Vec<AnswerId>) {
        let paths: Vec<_> = {
            let mut index = self.index();
            ids.iter().filter_map(|id| index.remove(id).map(|_| self.path(id))).collect()
        };
        let _ = tokio::task::spawn_blocking(move || delete_files(&paths)).await;
    }

    /// Deletes the files of answers that are no longer in the index, without waiting.
    fn delete(&self, ids: &[AnswerId]) {
        if !ids.is_empty() {
            let paths: Vec<_> = ids.iter().map(|id| self.path(id)).collect();
            tokio::task::spawn_blocking(move || delete_files(&paths));
        }
    }

    /// Removes expired answers.
    pub async fn sweep(&self, now: i64) {
        let expired = |(id, kept): (&AnswerId, &Kept)| {
            let is_expired = kept.kept_until < now && kept.payments == 0;
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
        let (id, kept_until) = (answer.id.0, answer.kept_until);
        let kept = Kept {
            answer: Arc::new(answer),
            bytes,
            receipt: None,
            is_sold: false,
            kept_until,
            is_released: false,
            is_new,
            payments: 0,
            delivered: None,
            turn: Arc::new(Semaphore::new(1)),
        };
        self.remove(&id);
        self.bytes += bytes;
        self.by_channel.entry(kept.answer.channel).or_default().insert(id);
        self.kept.insert(id, kept);
    }

    /// Returns the answers of a channel.
    fn of_channel(&self, channel: &Address) -> impl Iterator<Item = &Kept> {
        let ids = self.by_channel.get(channel).into_iter().flatten();
        ids.filter_map(|id| self.kept.get(id))
    }

    /// Removes delivered answers, earliest delivery first, until there is room for an answer of a channel
    /// with this many bytes or none may be removed. Returns the removed ones.
    fn evict(
        &mut self,
        channel: Address,
        (bytes, share): (u64, u64),
        max_bytes: u64,
    ) -> Vec<AnswerId> {
        let mut evicted = Vec::new();
        while self.bytes + bytes > max_bytes || self.kept.len() >= Spool::MAX_ANSWERS {
            let is_over = self.exceeds_share(channel, (bytes, share));
            let removable = self.kept.iter().filter_map(|(id, kept)| {
                let delivery = kept.delivered?;
                let is_idle = kept.payments == 0 && kept.turn.available_permits() > 0;
                let is_own = is_over && kept.answer.channel == channel;
                (is_idle && (delivery.is_over() || is_own)).then_some((delivery.number, *id))
            });
            let Some((_, id)) = removable.min() else { break };
            self.remove(&id);
            evicted.push(id);
        }
        evicted
    }

    /// Returns whether an answer of this many bytes and the channel's answers that its clients may not have
    /// received exceed its share.
    fn exceeds_share(&self, channel: Address, (bytes, share): (u64, u64)) -> bool {
        let own = self.kept.values().filter(|kept| {
            let is_recent = kept.delivered.is_some_and(|delivery| !delivery.is_over());
            is_recent && kept.answer.channel == channel
        });
        let (count, sum) = own.fold((0, 0), |(count, sum), kept| (count + 1, sum + kept.bytes));
        count >= Spool::MAX_ANSWERS / Spool::SHARES as usize || sum + bytes > share
    }

    /// Returns the bytes of a channel's rooms and of its answers that were not delivered.
    fn waiting(&self, channel: Address) -> u64 {
        let own = self.of_channel(&channel).filter(|kept| kept.delivered.is_none());
        let waiting: u64 = own.map(|kept| kept.bytes).sum();
        waiting + self.reserved.get(&channel).copied().unwrap_or(0)
    }

    fn remove(&mut self, id: &AnswerId) -> Option<Kept> {
        let removed = self.kept.remove(id)?;
        self.bytes -= removed.bytes;
        if let Entry::Occupied(mut own) = self.by_channel.entry(removed.answer.channel) {
            own.get_mut().remove(id);
            if own.get().is_empty() {
                own.remove();
            }
        }
        Some(removed)
    }
}

impl Delivery {
    /// Returns whether the client has the answer, or has had the time to ask for it again.
    fn is_over(&self) -> bool {
        self.is_confirmed || self.at.elapsed() >= Spool::RETRY_WITHIN
    }
}

impl Kept {
    /// Returns whether a payment for it is known.
    fn is_paid(&self) -> bool {
        self.receipt.is_some() || self.is_sold
    }
}

impl Room {
    /// Sets the room's bytes. Returns whether there is room for more than was set aside.
    fn resize(&mut self, bytes: u64) -> bool {
        let mut index = self.spool.index();
        let all = index.bytes - self.bytes + bytes;
        if all > self.spool.max_bytes {
            return false;
        }
        index.bytes = all;
        index.change_reserved(self.channel, self.bytes, bytes);
        self.bytes = bytes;
        true
    }
}

impl Index {
    /// Replaces the bytes of a channel's room.
    fn change_reserved(&mut self, channel: Address, before: u64, after: u64) {
        let reserved = self.reserved.get(&channel).copied().unwrap_or(0);
        match reserved - before + after {
            0 => drop(self.reserved.remove(&channel)),
            left => drop(self.reserved.insert(channel, left)),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut index = self.spool.index();
        index.bytes -= self.bytes;
        index.change_reserved(self.channel, self.bytes, 0);
    }
}

impl Drop for PaymentGuard {
    fn drop(&mut self) {
        if let Some(kept) = self.spool.index().kept.get_mut(&self.id) {
            kept.payments = kept.payments.saturating_sub(1);
        }
    }
}

/// Deletes files. One whose removal fails is loaded by the next [`Spool::open`] and expires again.
fn delete_files(paths: &[PathBuf]) {
    paths.iter().for_each(|path| drop(fs::remove_file(path)));
}

#[cfg(test)]
mod tests;
