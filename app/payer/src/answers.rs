use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use motif_sdk::{
    durable_file::{PRIVATE, append, remove_unfinished, replace},
    gateway::{
        PaidAnswer, PaidPart,
        wire::{Digest, ReceiptParts},
    },
    receipt::SignedReceipt,
};
use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;

use crate::{clock::now, problem::PayerError, request_log::NamedRequest};

/// Paid answers to requests with an idempotency key. Each is on disk before its client has the first byte,
/// and stays for a day: whether a client has received an answer is not known, so it can fetch it again
/// without another payment, also from the next process.
///
/// A file is a line of JSON ([`Head`]), then each part as a line ([`Line::Part`]) with the bytes after it,
/// then [`Line::End`] or [`Line::Cut`]. The oldest answers are removed if there is no room.
pub struct Answers {
    folder: PathBuf,
    max_bytes: u64,
    kept: Mutex<Kept>,
}

/// Files, oldest first.
#[derive(Default)]
struct Kept {
    files: VecDeque<KeptFile>,
    bytes: u64,
}

struct KeptFile {
    name: String,
    bytes: u64,
    /// Unix second.
    written_at: i64,
}

/// First line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Digest of the request's method and body; its caller, URL and key are in the file's name.
    pub request: Digest,
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub kind: String,
    /// Whether the answer is a stream, whose parts are paid for one by one.
    pub streams: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Part {
        bytes: u64,
        /// Receipt, as the header has it.
        receipt: String,
    },
    End,
    /// The stream has ended early, and no later part was paid for.
    Cut,
}

/// Kept answer.
pub enum KeptAnswer {
    Whole(Box<PaidAnswer>),
    /// With the place after which parts may be missing that were paid for.
    Stream(Box<KeptStream>, Option<Box<Cut>>),
}

/// Place where a process stopped to keep a stream.
pub struct Cut {
    /// Number of kept parts.
    pub parts: u32,
    /// Receipt of the last one.
    pub last: SignedReceipt,
    /// Length of the file up to there.
    bytes: u64,
}

/// Paid parts of a stream, read from the file as the client takes them.
pub struct KeptStream {
    file: BufReader<File>,
    kind: String,
    max_bytes: usize,
    /// Maximum number of parts that are left to read.
    left: u32,
}

/// Writer of a stream's file.
pub struct StreamWriter {
    answers: Arc<Answers>,
    name: String,
    file: File,
}

/// Next item of a stream's file.
enum Item {
    Part(Box<PaidPart>),
    End,
    /// The stream was not kept to its end; whether no later part was paid for.
    Cut(bool),
}

impl Answers {
    const EXTENSION: &str = "answer";
    /// Time for which an answer is kept, seconds.
    const KEPT_SECONDS: i64 = 86_400;
    /// Maximum length of a line.
    const MAX_LINE_BYTES: u64 = 16 << 10;

    /// Opens a folder. Answers that have expired stay until [`Answers::purge`].
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self, PayerError> {
        let failed = |error: io::Error| PayerError::state(folder, error);
        crate::state_lock::create_private(folder).map_err(failed)?;
        remove_unfinished(folder).map_err(failed)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_answer = path.extension().is_some_and(|kind| kind == Self::EXTENSION);
            let name = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
            let Some(name) = name.filter(|_| is_answer) else { continue };
            let about = fs::metadata(&path).map_err(failed)?;
            let written_at = about.modified().map_or(0, unix_second);
            files.push(KeptFile { name, bytes: about.len(), written_at });
        }
        files.sort_by_key(|file| file.written_at);
        let bytes = files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
        let kept = Mutex::new(Kept { files: files.into(), bytes });
        Ok(Self { folder: folder.to_owned(), max_bytes, kept })
    }

    /// Removes the answers that have expired at a unix second, and the oldest ones above the limit.
    pub fn purge(&self, at: i64) {
        let oldest = at.saturating_sub(Self::KEPT_SECONDS);
        self.remove_while(|kept, file| file.written_at < oldest || kept.bytes > self.max_bytes);
    }

    /// Returns the kept answer to a request, of which no part may be longer than `max_bytes`.
    ///
    /// # Errors
    /// [`PayerError::IdempotencyKeyReused`] if it answers another request; [`PayerError::StateFailed`].
    pub fn find(
        &self,
        named: &NamedRequest,
        request: &Digest,
        max_bytes: usize,
    ) -> Result<Option<KeptAnswer>, PayerError> {
        let path = self.path(named.name());
        let failed = |error| PayerError::state(&path, error);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let mut file = BufReader::new(file);
        let Some(head) = read_line::<Head>(&mut file).map_err(failed)? else { return Ok(None) };
        if head.request != *request {
            return Err(PayerError::IdempotencyKeyReused);
        }
        let mut stream = KeptStream { file, kind: head.kind, max_bytes, left: u32::MAX };
        if head.streams {
            let (parts, cut) = stream.cut().map_err(failed)?;
            // Of a stream without a kept part, the paywall may have the first one.
            let stream = (parts > 0).then(|| KeptAnswer::Stream(Box::new(stream), cut));
            return Ok(stream);
        }
        let Item::Part(part) = stream.read().map_err(failed)? else { return Ok(None) };
        let PaidPart { body, receipt } = *part;
        let answer = PaidAnswer { status: head.status, kind: stream.kind, body, receipt };
        Ok(Some(KeptAnswer::Whole(Box::new(answer))))
    }

    /// Keeps a whole answer, durably.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn keep(
        &self,
        named: &NamedRequest,
        request: Digest,
        answer: &PaidAnswer,
    ) -> Result<(), PayerError> {
        let PaidAnswer { status, kind, body, receipt } = answer;
        let head = Head { request, status: *status, kind: kind.clone(), streams: false };
        let mut text = line(&head);
        text.extend(part(body, receipt));
        text.extend(line(&Line::End));
        if !self.make_room(text.len() as u64) {
            return Ok(());
        }
        let path = self.path(named.name());
        replace(&path, &text, PRIVATE).map_err(|error| PayerError::state(&path, error))?;
        self.add(named.name(), text.len() as u64);
        Ok(())
    }

    /// Begins to keep a stream; `None` without room.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn begin(
        self: &Arc<Self>,
        named: &NamedRequest,
        head: &Head,
    ) -> Result<Option<StreamWriter>, PayerError> {
        let text = line(head);
        if !self.make_room(text.len() as u64) {
            return Ok(None);
        }
        let path = self.path(named.name());
        // Appended to; an earlier file of this name would be of a request without a paid part.
        let file = replace(&path, &text, PRIVATE).map_err(|e| PayerError::state(&path, e))?;
        self.add(named.name(), text.len() as u64);
        Ok(Some(StreamWriter { answers: self.clone(), name: named.name().to_owned(), file }))
    }

    /// Continues to keep a stream after its last complete part; `None` if its file was removed.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn resume(
        self: &Arc<Self>,
        named: &NamedRequest,
        cut: &Cut,
    ) -> Result<Option<StreamWriter>, PayerError> {
        let path = self.path(named.name());
        let failed = |error| PayerError::state(&path, error);
        let file = match File::options().append(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        file.set_len(cut.bytes).map_err(failed)?;
        let mut kept = self.kept();
        let (mut before, name) = (0, named.name());
        if let Some(file) = kept.files.iter_mut().find(|file| file.name == name) {
            before = std::mem::replace(&mut file.bytes, cut.bytes);
        }
        kept.bytes = kept.bytes.saturating_sub(before.saturating_sub(cut.bytes));
        drop(kept);
        Ok(Some(StreamWriter { answers: self.clone(), name: name.to_owned(), file }))
    }

    /// Removes the oldest answers until there is room for `bytes`. Returns whether there is.
    fn make_room(&self, bytes: u64) -> bool {
        let is_full = |kept: &Kept| kept.bytes.saturating_add(bytes) > self.max_bytes;
        self.remove_while(|kept, _| is_full(kept));
        !is_full(&self.kept())
    }

    /// Removes the oldest answer as long as a condition holds.
    fn remove_while(&self, is_over: impl Fn(&Kept, &KeptFile) -> bool) {
        let mut kept = self.kept();
        while let Some(file) = kept.files.front().filter(|file| is_over(&kept, file)) {
            // A file that is not removed is counted again by the next process.
            let _ = fs::remove_file(self.path(&file.name));
            kept.bytes = kept.bytes.saturating_sub(file.bytes);
            kept.files.pop_front();
        }
    }

    /// Counts bytes of a file, which is the newest if it is new.
    fn add(&self, name: &str, bytes: u64) {
        let mut kept = self.kept();
        kept.bytes = kept.bytes.saturating_add(bytes);
        match kept.files.iter_mut().rev().find(|file| file.name == name) {
            Some(file) => file.bytes = file.bytes.saturating_add(bytes),
            None => {
                let (name, written_at) = (name.to_owned(), now());
                kept.files.push_back(KeptFile { name, bytes, written_at });
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{}", Self::EXTENSION))
    }
}

impl StreamWriter {
    /// Keeps a paid part, durably.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn part(&mut self, paid: &PaidPart) -> Result<(), PayerError> {
        self.write(&part(&paid.body, &paid.receipt))
    }

    /// Keeps that the stream is complete, durably.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn end(&mut self) -> Result<(), PayerError> {
        self.write(&line(&Line::End))
    }

    /// Keeps that no later part was paid for, durably.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn cut(&mut self) -> Result<(), PayerError> {
        self.write(&line(&Line::Cut))
    }

    fn write(&mut self, text: &[u8]) -> Result<(), PayerError> {
        // A stream that is longer than all room removes itself; its client reads on.
        self.answers.make_room(text.len() as u64);
        let written = append(&mut self.file, text).and_then(|()| self.file.sync_data());
        written.map_err(|error| PayerError::state(&self.answers.path(&self.name), error))?;
        let path = self.answers.path(&self.name);
        if path.exists() {
            self.answers.add(&self.name, text.len() as u64);
        }
        Ok(())
    }
}

impl KeptStream {
    /// Returns the content type of the joined parts.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the next part; `None` after the last of a complete stream.
    ///
    /// # Errors
    /// [`PayerError::StreamEnded`] after the last part of another stream; [`PayerError::StateFailed`].
    pub fn next(&mut self) -> Result<Option<PaidPart>, PayerError> {
        match self.read().map_err(|error| PayerError::state(Path::new("answers"), error))? {
            Item::Part(part) => Ok(Some(*part)),
            Item::End => Ok(None),
            Item::Cut(_) => Err(PayerError::StreamEnded),
        }
    }

    /// Returns the number of parts, and where the stream breaks off if later parts may be paid for. The next
    /// part is the first one again.
    fn cut(&mut self) -> io::Result<(u32, Option<Box<Cut>>)> {
        let first = self.file.stream_position()?;
        let (mut parts, mut cut) = (0, None);
        let is_open = loop {
            match self.read()? {
                Item::Part(part) => {
                    parts += 1;
                    let (last, bytes) = (part.receipt, self.file.stream_position()?);
                    cut = Some(Box::new(Cut { parts, last, bytes }));
                }
                Item::End => break false,
                Item::Cut(is_last) => break !is_last,
            }
        };
        self.file.seek(SeekFrom::Start(first))?;
        // What is appended meanwhile is not read.
        self.left = if is_open { parts } else { u32::MAX };
        Ok((parts, cut.filter(|_| is_open)))
    }

    fn read(&mut self) -> io::Result<Item> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(Item::Cut(false)) };
        let (bytes, receipt) = match read_line(&mut self.file)? {
            Some(Line::Part { bytes, receipt }) => (bytes, receipt),
            Some(Line::End) => return Ok(Item::End),
            Some(Line::Cut) => return Ok(Item::Cut(true)),
            None => return Ok(Item::Cut(false)),
        };
        let Ok(receipt) = ReceiptParts::from_header(&receipt) else { return Ok(Item::Cut(false)) };
        let receipt = SignedReceipt::from(&receipt);
        let mut body = Vec::new();
        (&mut self.file).take(bytes.min(self.max_bytes as u64)).read_to_end(&mut body)?;
        // A part that was being written when the process ended.
        let is_complete = hash(&body).to_bytes() == receipt.receipt.output_digest;
        self.left = left;
        let part = Box::new(PaidPart { body, receipt });
        Ok(if is_complete { Item::Part(part) } else { Item::Cut(false) })
    }
}

fn part(body: &[u8], receipt: &SignedReceipt) -> Vec<u8> {
    let receipt = ReceiptParts::from(receipt).to_header();
    let mut text = line(&Line::Part { bytes: body.len() as u64, receipt });
    text.extend_from_slice(body);
    text
}

fn line(value: &impl Serialize) -> Vec<u8> {
    // Fails only for maps with keys other than text.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Reads a line; `None` if it is missing or incomplete.
fn read_line<T: serde::de::DeserializeOwned>(file: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut text = Vec::new();
    file.take(Answers::MAX_LINE_BYTES).read_until(b'\n', &mut text)?;
    Ok(text.strip_suffix(b"\n").and_then(|text| serde_json::from_slice(text).ok()))
}

/// Logs that a paid answer cannot be returned again from here. It reaches its client anyway.
pub(crate) fn note_unkept(written: Result<(), PayerError>) {
    if let Err(error) = written {
        tracing::error!(%error, "a paid answer was not kept");
    }
}

fn unix_second(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{callers::Caller, request_log::RequestLog};

    use super::*;

    fn receipt(body: &[u8]) -> SignedReceipt {
        let output = Digest(hash(body).to_bytes());
        let zero = "0".repeat(64);
        let parts = serde_json::json!({
            "digest": zero, "channel": "11111111111111111111111111111111", "opened_slot": 1,
            "statement": 0, "position": 0, "license": 0, "units": 1, "terms_number": 1,
            "amount": "7", "cumulative": "7", "work": "11111111111111111111111111111111",
            "request_digest": zero, "output_digest": output, "issued_at": 5,
            "signature": zero.repeat(2)
        });
        SignedReceipt::from(&serde_json::from_value::<ReceiptParts>(parts).unwrap())
    }

    fn answer(body: &[u8]) -> PaidAnswer {
        PaidAnswer { status: 201, kind: "a/b".into(), body: body.to_vec(), receipt: receipt(body) }
    }

    /// Returns the names of requests with these keys.
    async fn named(folder: &Path, keys: &[&str]) -> Vec<NamedRequest> {
        let log = RequestLog::open(&folder.join("requests.jsonl")).unwrap();
        let mut named = Vec::new();
        for key in keys {
            let key = format!("the-key-{key}").parse().unwrap();
            named.push(log.begin(&Caller::from("ana"), "https://a.example/", &key).await);
        }
        named
    }

    fn whole(answers: &Answers, named: &NamedRequest, request: Digest) -> Option<PaidAnswer> {
        match answers.find(named, &request, 1_000).unwrap()? {
            KeptAnswer::Whole(answer) => Some(*answer),
            KeptAnswer::Stream(..) => panic!("a stream"),
        }
    }

    #[tokio::test]
    async fn answer_is_kept_for_its_request() {
        let folder = tempfile::tempdir().unwrap();
        let named = named(folder.path(), &["1", "2"]).await;
        let path = folder.path().join("answers");
        let request = Digest([3; 32]);
        let kept = answer(b"one\ntwo");
        let answers = Answers::open(&path, 1 << 20).unwrap();
        answers.keep(&named[0], request, &kept).unwrap();
        // What the process was writing when it was killed.
        fs::write(path.join(".x.answer.writing"), "{").unwrap();
        let answers = Answers::open(&path, 1 << 20).unwrap();
        assert_eq!(whole(&answers, &named[0], request), Some(kept));
        assert_eq!(whole(&answers, &named[1], request), None);
        let other = answers.find(&named[0], &Digest([4; 32]), 1_000);
        assert!(matches!(other, Err(PayerError::IdempotencyKeyReused)));
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn oldest_answer_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let named = named(folder.path(), &["1", "2", "3"]).await;
        let path = folder.path().join("answers");
        let request = Digest([3; 32]);
        let answers = Answers::open(&path, 1 << 20).unwrap();
        answers.keep(&named[0], request, &answer(b"first")).unwrap();
        let room = 2 * answers.kept().bytes + 100;
        let answers = Answers::open(&path, room).unwrap();
        for one in &named[1..] {
            answers.keep(one, request, &answer(b"other")).unwrap();
        }
        let found = named.iter().map(|one| whole(&answers, one, request).is_some());
        assert_eq!(found.collect::<Vec<_>>(), [false, true, true]);
        // One that is larger than all room is not kept.
        let answers = Answers::open(&path, 10).unwrap();
        answers.keep(&named[0], request, &answer(b"first")).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn unkept_answer_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let named = named(folder.path(), &["1"]).await;
        let path = folder.path().join("answers");
        let answers = Answers::open(&path, 1 << 20).unwrap();
        // A folder is not replaced by a file.
        fs::create_dir(answers.path(named[0].name())).unwrap();
        let kept = answers.keep(&named[0], Digest([3; 32]), &answer(b"one"));
        assert!(matches!(kept, Err(PayerError::StateFailed { .. })));
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn only_purge_removes_old_answers() {
        let folder = tempfile::tempdir().unwrap();
        let named = named(folder.path(), &["1", "2"]).await;
        let path = folder.path().join("answers");
        let request = Digest([3; 32]);
        let answers = Answers::open(&path, 1 << 20).unwrap();
        answers.keep(&named[0], request, &answer(b"first")).unwrap();
        let file = File::options().append(true).open(answers.path(named[0].name())).unwrap();
        let day = Duration::from_secs(Answers::KEPT_SECONDS as u64);
        file.set_modified(SystemTime::now() - 2 * day).unwrap();
        let answers = Answers::open(&path, 1 << 20).unwrap();
        answers.keep(&named[1], request, &answer(b"other")).unwrap();
        let found = || named.iter().map(|one| whole(&answers, one, request).is_some());
        answers.purge(now() - 2 * Answers::KEPT_SECONDS);
        assert!(found().all(|is_found| is_found));
        answers.purge(now());
        assert_eq!(found().collect::<Vec<_>>(), [false, true]);
    }

    #[tokio::test]
    async fn torn_stream_returns_complete_parts() {
        let folder = tempfile::tempdir().unwrap();
        let named = named(folder.path(), &["1"]).await;
        let path = folder.path().join("answers");
        let request = Digest([3; 32]);
        let head = Head { request, status: 200, kind: "a/b".into(), streams: true };
        let parts = [&b"one"[..], b"", b"three\n"]
            .map(|body| PaidPart { body: body.to_vec(), receipt: receipt(body) });
        let write = |is_complete| {
            let answers = Arc::new(Answers::open(&path, 1 << 20).unwrap());
            let mut writer = answers.begin(&named[0], &head).unwrap().unwrap();
            parts.iter().for_each(|part| writer.part(part).unwrap());
            if is_complete {
                writer.end().unwrap();
            }
        };
        let read = || {
            let answers = Answers::open(&path, 1 << 20).unwrap();
            let found = answers.find(&named[0], &request, 1_000).unwrap();
            let Some(KeptAnswer::Stream(mut stream, _)) = found else { panic!("no stream") };
            let mut read = Vec::new();
            loop {
                match stream.next() {
                    Ok(Some(part)) => read.push(part),
                    Ok(None) => return (read, true),
                    Err(PayerError::StreamEnded) => return (read, false),
                    Err(error) => panic!("{error}"),
                }
            }
        };
        write(true);
        assert_eq!(read(), (parts.to_vec(), true));
        write(false);
        assert_eq!(read(), (parts.to_vec(), false));
        let file = path.join(format!("{}.answer", named[0].name()));
        let text = fs::read(&file).unwrap();
        fs::write(&file, &text[..text.len() - 1]).unwrap();
        assert_eq!(read(), (parts[..2].to_vec(), false));
    }

    #[tokio::test]
    async fn cut_stream_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        let named = named(folder.path(), &["1"]).await;
        let path = folder.path().join("answers");
        let request = Digest([3; 32]);
        let head = Head { request, status: 200, kind: "a/b".into(), streams: true };
        let parts = [&b"one"[..], b"two\n"]
            .map(|body| PaidPart { body: body.into(), receipt: receipt(body) });
        let reopened = || Arc::new(Answers::open(&path, 1 << 20).unwrap());
        let found = |answers: &Answers| match answers.find(&named[0], &request, 1_000).unwrap() {
            None => None,
            Some(KeptAnswer::Stream(stream, cut)) => Some((stream, cut)),
            Some(KeptAnswer::Whole(_)) => panic!("a whole answer"),
        };
        let answers = reopened();
        let mut writer = answers.begin(&named[0], &head).unwrap().unwrap();
        assert!(found(&answers).is_none(), "no part is kept");
        writer.part(&parts[0]).unwrap();
        // The process is killed while it writes the second part.
        let torn = part(&parts[1].body, &parts[1].receipt);
        writer.write(&torn[..torn.len() - 1]).unwrap();
        let answers = reopened();
        let (mut stream, cut) = found(&answers).unwrap();
        let cut = cut.unwrap();
        assert_eq!((cut.parts, &cut.last), (1, &parts[0].receipt));
        let mut writer = answers.resume(&named[0], &cut).unwrap().unwrap();
        writer.part(&parts[1]).unwrap();
        // The reader of the kept parts ends before what was added.
        assert_eq!(stream.next().unwrap(), Some(parts[0].clone()));
        assert!(matches!(stream.next(), Err(PayerError::StreamEnded)));
        let length = fs::metadata(answers.path(named[0].name())).unwrap().len();
        assert_eq!(answers.kept().bytes, length);
        let (_, cut) = found(&answers).unwrap();
        assert_eq!(cut.unwrap().parts, 2);
        writer.cut().unwrap();
        let (mut stream, cut) = found(&reopened()).unwrap();
        assert!(cut.is_none(), "nothing more was paid for");
        for part in &parts {
            assert_eq!(stream.next().unwrap().as_ref(), Some(part));
        }
        assert!(matches!(stream.next(), Err(PayerError::StreamEnded)));
    }
}
