use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use motif_sdk::{
    durable_file::{self, PRIVATE, append, replace},
    gateway::{
        IdempotencyKey, PaidRequest,
        wire::{Address, Digest},
    },
};
use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hashv;
use tokio::sync::OwnedMutexGuard;

use crate::{callers::Caller, clock::now, problem::PayerError};

/// Requests with an idempotency key of the client: a repeated one is sent to the paywall as it was, and so is
/// paid once, also by the next process.
pub struct RequestLog {
    path: PathBuf,
    entries: Mutex<Entries>,
    /// Locks of the requests under way.
    turns: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

struct Entries {
    known: HashMap<String, Entry>,
    /// Digests of receipts that a payment has.
    claimed: HashSet<[u8; 32]>,
    file: File,
    /// Whether the file ends with a part of a line, which a killed process has written.
    is_torn: bool,
}

/// Request that its client's key names, which no other request with that key runs beside.
pub struct NamedRequest {
    name: String,
    _turn: OwnedMutexGuard<()>,
}

impl NamedRequest {
    /// Returns the name: 64 hexadecimal digits.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Purchase that its client's idempotency key names.
#[derive(Clone)]
pub(crate) struct NamedPurchase {
    /// Held until the answer is complete, so that a repeated request waits for it.
    pub name: Arc<NamedRequest>,
    /// Digest of method and body.
    pub request: Digest,
}

/// Line of the log. A later line of the same request replaces it.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    /// Name of the request.
    key: String,
    /// Last unix second in which the answer can be paid.
    expires_at: i64,
    /// Number of holds that have ended without a payment.
    #[serde(default, skip_serializing_if = "is_zero")]
    ended: u32,
    /// Payment of the JSON interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<LoggedPayment>,
}

/// Payment that was about to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedPayment {
    /// SHA-256 of the request's body.
    pub body: Digest,
    /// Channel that pays.
    pub channel: Address,
    /// Unix second.
    pub begun_at: i64,
    /// Number of the channel's newest receipt before.
    pub after: u64,
    /// Digest of its receipt, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Digest>,
}

impl RequestLog {
    /// Time for which a key is kept after its hold, seconds.
    const KEPT_SECONDS: i64 = 86_400;

    /// Opens a log, and leaves it as it is.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn open(path: &Path) -> Result<Self, PayerError> {
        let failed = |error| PayerError::state(path, error);
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(failed)?,
        };
        let lines = text.split(|byte| *byte == b'\n');
        let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
        let known: HashMap<_, _> = entries.map(|entry| (entry.key.clone(), entry)).collect();
        let file = durable_file::open(path, PRIVATE).map_err(failed)?;
        let is_torn = text.last().is_some_and(|last| *last != b'\n');
        let claimed = known.values().filter_map(|entry| Some(entry.payment?.receipt?.0)).collect();
        let entries = Mutex::new(Entries { known, claimed, file, is_torn });
        Ok(Self { path: path.to_owned(), entries, turns: Mutex::default() })
    }

    /// Removes the requests that have expired at a unix second.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn purge(&self, at: i64) -> Result<(), PayerError> {
        let mut entries = self.entries();
        let before = entries.known.len();
        entries.known.retain(|_, entry| entry.expires_at.saturating_add(Self::KEPT_SECONDS) > at);
        if entries.known.len() == before {
            return Ok(());
        }
        let lines = entries.known.values().map(Entry::line).collect::<io::Result<Vec<_>>>();
        let file = lines.and_then(|lines| replace(&self.path, &lines.concat(), PRIVATE));
        entries.file = file.map_err(|error| PayerError::state(&self.path, error))?;
        entries.is_torn = false;
        Ok(())
    }

    /// Waits until no request with the same name is under way. Other callers' keys and other URLs are other
    /// requests.
    pub async fn begin(&self, caller: &Caller, url: &str, key: &IdempotencyKey) -> NamedRequest {
        let parts = [caller.as_bytes(), &[0], url.as_bytes(), &[0], key.as_str().as_bytes()];
        let name = hex::encode(hashv(&parts).to_bytes());
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let turn = turns.get(&name).and_then(Weak::upgrade).unwrap_or_default();
            turns.insert(name.clone(), Arc::downgrade(&turn));
            turn
        };
        NamedRequest { name, _turn: turn.lock_owned().await }
    }

    /// Gives a request the key that belongs to its name, and the expiry with which it was sent first.
    /// The line survives the process before the request is sent.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn name(&self, request: &mut PaidRequest, named: &NamedRequest) -> Result<(), PayerError> {
        let mut entries = self.entries();
        let known = entries.known.get(&named.name).cloned();
        let entry = match known {
            Some(entry) => entry,
            None => {
                let entry = Entry::new(named, request.expires_at);
                self.write(&mut entries, entry.clone())?;
                entry
            }
        };
        request.expires_at = entry.expires_at;
        // 64 hexadecimal digits.
        request.key = entry.paywall_key().parse().unwrap_or_else(|_| IdempotencyKey::random());
        Ok(())
    }

    /// Returns whether a request with this name was sent.
    pub fn is_known(&self, named: &NamedRequest) -> bool {
        self.entries().known.contains_key(&named.name)
    }

    /// Gives a request another key and its own expiry, after its hold has ended without a payment.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn rename(
        &self,
        request: &mut PaidRequest,
        named: &NamedRequest,
    ) -> Result<(), PayerError> {
        let mut entries = self.entries();
        let ended = entries.known.get(&named.name).map_or(0, |entry| entry.ended);
        let ended = ended.saturating_add(1);
        let entry = Entry { ended, ..Entry::new(named, request.expires_at) };
        request.key = entry.paywall_key().parse().unwrap_or_else(|_| IdempotencyKey::random());
        self.write(&mut entries, entry)
    }

    /// Returns the payment of a name.
    pub fn payment(&self, named: &NamedRequest) -> Option<LoggedPayment> {
        self.entries().known.get(&named.name)?.payment
    }

    /// Returns whether a payment with a key has a receipt.
    pub fn is_claimed(&self, receipt: &Digest) -> bool {
        self.entries().claimed.contains(&receipt.0)
    }

    /// Records a payment before it is signed, or its receipt.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn record(&self, named: &NamedRequest, payment: LoggedPayment) -> Result<(), PayerError> {
        let mut entries = self.entries();
        let entry = Entry { payment: Some(payment), ..Entry::new(named, payment.begun_at) };
        self.write(&mut entries, entry)?;
        entries.claimed.extend(payment.receipt.map(|receipt| receipt.0));
        Ok(())
    }

    /// Forgets a payment that was not made.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn forget(&self, named: &NamedRequest) -> Result<(), PayerError> {
        self.write(&mut self.entries(), Entry::new(named, now()))
    }

    fn write(&self, entries: &mut Entries, entry: Entry) -> Result<(), PayerError> {
        let end: &[u8] = if entries.is_torn { b"\n" } else { b"" };
        let line = entry.line().map(|line| [end, &line].concat());
        let written = line.and_then(|line| append(&mut entries.file, &line));
        written.map_err(|error| PayerError::state(&self.path, error))?;
        entries.is_torn = false;
        entries.known.insert(entry.key.clone(), entry);
        Ok(())
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(named: &NamedRequest, expires_at: i64) -> Self {
        Self { key: named.name.clone(), expires_at, ended: 0, payment: None }
    }

    /// Returns the idempotency key at the paywall.
    fn paywall_key(&self) -> String {
        match self.ended {
            0 => self.key.clone(),
            ended => hex::encode(hashv(&[self.key.as_bytes(), &ended.to_le_bytes()]).to_bytes()),
        }
    }

    fn line(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use motif_sdk::{
        Pubkey,
        gateway::{Method, PaidUnits},
    };

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

    /// Names a request as the client with this name.
    async fn named(log: &RequestLog, caller: &str, request: &mut PaidRequest) {
        let key = "same-key".parse().unwrap();
        let named = log.begin(&Caller::from(caller), &request.url, &key).await;
        log.name(request, &named).unwrap();
    }

    #[tokio::test]
    async fn repeated_request_keeps_key_and_expiry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let end = now() + 100;
        let mut first = request("https://a.example/", end);
        named(&RequestLog::open(&path).unwrap(), "ana", &mut first).await;
        let log = RequestLog::open(&path).unwrap();
        let mut again = request("https://a.example/", end + 50);
        named(&log, "ana", &mut again).await;
        assert_eq!(first, again);
        for (url, caller) in [("https://a.example/", "ben"), ("https://b.example/", "ana")] {
            let mut other = request(url, end + 50);
            named(&log, caller, &mut other).await;
            assert_ne!(other.key, first.key);
            assert_eq!(other.expires_at, end + 50);
        }
    }

    #[tokio::test]
    async fn only_purge_forgets_requests() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let expiry = now() - 2 * RequestLog::KEPT_SECONDS;
        let mut first = request("https://a.example/", expiry);
        named(&RequestLog::open(&path).unwrap(), "ana", &mut first).await;
        // A killed process has written a part of a line.
        let mut torn = fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"key\":");
        fs::write(&path, &torn).unwrap();
        let log = RequestLog::open(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), torn);
        let mut again = request("https://a.example/", now());
        named(&log, "ana", &mut again).await;
        assert_eq!(first, again);
        named(&log, "ben", &mut request("https://a.example/", now())).await;
        let log = RequestLog::open(&path).unwrap();
        let known = || log.entries().known.len();
        log.purge(expiry + RequestLog::KEPT_SECONDS - 1).unwrap();
        assert_eq!(known(), 2);
        log.purge(now()).unwrap();
        assert_eq!((known(), RequestLog::open(&path).unwrap().entries().known.len()), (1, 1));
    }

    #[tokio::test]
    async fn ended_hold_gives_another_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let (url, end) = ("https://a.example/", now() + 100);
        let mut keys = HashSet::new();
        for round in 0..3 {
            let log = RequestLog::open(&path).unwrap();
            let mut present = request(url, end);
            named(&log, "ana", &mut present).await;
            assert!(round == 0 || keys.contains(&present.key));
            keys.insert(present.key.clone());
            let ended = log.begin(&Caller::from("ana"), url, &"same-key".parse().unwrap()).await;
            let mut next = request(url, end + round);
            log.rename(&mut next, &ended).unwrap();
            assert_eq!(next.expires_at, end + round);
            assert!(keys.insert(next.key), "a key that was used");
        }
    }

    #[tokio::test]
    async fn payment_survives_with_its_receipt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let key = "same-key".parse().unwrap();
        let payment = LoggedPayment {
            body: Digest([1; 32]),
            channel: Address(Pubkey::default()),
            begun_at: now(),
            after: 3,
            receipt: None,
        };
        let paid = LoggedPayment { receipt: Some(Digest([2; 32])), ..payment };
        for (step, next) in [(None, payment), (Some(payment), paid), (Some(paid), paid)] {
            let log = RequestLog::open(&path).unwrap();
            let named = log.begin(&Caller::from("ana"), "/v1/pay", &key).await;
            assert_eq!(log.payment(&named), step);
            assert_eq!(log.is_claimed(&Digest([2; 32])), step == Some(paid));
            log.record(&named, next).unwrap();
        }
    }

    #[tokio::test]
    async fn same_request_waits_for_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let log = RequestLog::open(&folder.path().join("requests.jsonl")).unwrap();
        let (caller, key) = (Caller::from("ana"), "same-key".parse().unwrap());
        let first = log.begin(&caller, "/v1/pay", &key).await;
        let second = log.begin(&caller, "/v1/pay", &key);
        tokio::pin!(second);
        assert!(futures::poll!(&mut second).is_pending());
        drop(log.begin(&caller, "/v1/captures", &key).await);
        drop(first);
        second.await;
    }
}
