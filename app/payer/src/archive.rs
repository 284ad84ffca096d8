use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use motif_sdk::{
    Pubkey,
    durable_file::{PRIVATE, replace},
    gateway::{
        KeptReceipt,
        wire::{Address, Amount, ReceiptParts},
    },
};
use serde::{Deserialize, Serialize};

use crate::{day::Day, problem::PayerError};

/// Receipts of all channels: one file for each UTC day of the export, one line of JSON each, and one line
/// for each position of a statement.
pub struct Archive {
    folder: PathBuf,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    /// Last written number by channel and its slot of opening.
    newest: BTreeMap<(Pubkey, u64), u64>,
    /// Spending by channel, day of issue and caller, base units.
    spent: BTreeMap<(Pubkey, i64, String), u64>,
    /// Highest total by channel, its slot of opening and day of issue, base units.
    totals: BTreeMap<(Pubkey, u64, i64), u64>,
    positions: BTreeMap<Statement, Ranges>,
    /// File whose last append failed, with its length before.
    torn: Option<(PathBuf, u64)>,
}

/// Channel, its slot of opening and the number of a statement.
type Statement = (Pubkey, u64, u64);

/// Statement, and a position in it.
type Place = (Statement, u32);

/// Positions, as ranges that do not touch: each by its first position, with the one after its last.
#[derive(Default)]
struct Ranges(BTreeMap<u32, u32>);

/// Receipt with what the service adds to it. `motif receipt verify` reads files of these lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ArchivedReceipt {
    /// Number in the state of its channel.
    pub number: u64,
    /// Caller; absent for payments of other programs on the same channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Amount charged, base units, fees included.
    pub charged: Amount,
    /// Receipt.
    #[serde(flatten)]
    pub receipt: ReceiptParts,
}

/// Page of a day's receipts.
#[derive(Debug, Serialize)]
pub struct ArchivePage {
    /// Receipts, oldest first.
    pub receipts: Vec<ArchivedReceipt>,
    /// Place of the next page in the day's file, bytes.
    pub next: u64,
}

impl Archive {
    /// Maximum number of receipts of a page.
    pub const MAX_PAGE: usize = 1_000;

    /// Opens a folder, and reads its two newest files.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn open(folder: &Path, today: Day) -> Result<Self, PayerError> {
        let failed = |error: io::Error| PayerError::state(folder, error);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut written = Written::default();
        // What an interrupted export has written is in the newest file; today's spending, in it and the
        // one before.
        for path in newest_files(folder).map_err(failed)? {
            let mut file = open_whole(&path).map_err(failed)?;
            file.rewind().map_err(failed)?;
            for line in BufReader::new(file).split(b'\n') {
                let Ok(kept) = serde_json::from_slice(&line.map_err(failed)?) else { continue };
                written.add(&kept, today);
            }
        }
        Ok(Self { folder: folder.to_owned(), written: Mutex::new(written) })
    }

    /// Writes receipts that are new, durably. Returns the newest number.
    ///
    /// A payment that was offered again, to a gateway that has lost it, has a new receipt at the same
    /// position: it replaces the first one, whose number, caller and charge it takes.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`]: no receipt was written.
    pub fn append(&self, kept: &[KeptReceipt], today: Day) -> Result<Option<u64>, PayerError> {
        let path = self.path(today);
        let failed = |error: io::Error| PayerError::state(&path, error);
        let mut written = self.written();
        let mut new: Vec<ArchivedReceipt> = Vec::new();
        let mut again = BTreeMap::new();
        for one in kept {
            let archived = ArchivedReceipt {
                number: one.number,
                caller: one.tag.clone(),
                charged: Amount(one.charged),
                receipt: ReceiptParts::from(&one.receipt),
            };
            let first = match archived.is_again() {
                true => new.iter_mut().find(|one| one.place() == archived.place()),
                false => None,
            };
            match first {
                Some(first) => first.receipt = archived.receipt,
                None if !written.has_position(&archived) => new.push(archived),
                None if archived.is_again() => {
                    again.insert(archived.place(), archived.receipt);
                }
                // The operator has issued two receipts at one position: both are evidence.
                None if !written.has_number(&archived) => new.push(archived),
                None => {}
            }
        }
        if let Some((torn, length)) = &written.torn {
            let file = OpenOptions::new().write(true).open(torn).map_err(failed)?;
            file.set_len(*length).map_err(failed)?;
            written.torn = None;
        }
        if !again.is_empty() {
            self.replace(&again).map_err(failed)?;
        }
        let text: String = new.iter().map(line).collect();
        append_durably(&path, text.as_bytes()).map_err(|TornFile { length, error }| {
            written.torn = length.map(|length| (path.clone(), length));
            failed(error)
        })?;
        for one in &new {
            written.add(one, today);
        }
        Ok(kept.last().map(|one| one.number))
    }

    /// Replaces receipts in the two newest files.
    fn replace(&self, again: &BTreeMap<Place, ReceiptParts>) -> io::Result<()> {
        for path in newest_files(&self.folder)? {
            let (mut text, mut is_changed) = (Vec::new(), false);
            for old in BufReader::new(File::open(&path)?).split(b'\n') {
                let old = old?;
                let kept: Option<ArchivedReceipt> = serde_json::from_slice(&old).ok();
                let newer = kept.and_then(|kept| {
                    let newer = again.get(&kept.place())?;
                    let is_other = newer.digest != kept.receipt.digest;
                    is_other.then_some(ArchivedReceipt { receipt: *newer, ..kept })
                });
                match newer {
                    Some(newer) => {
                        text.extend_from_slice(line(&newer).as_bytes());
                        is_changed = true;
                    }
                    None => text.extend(old.into_iter().chain([b'\n'])),
                }
            }
            if is_changed {
                replace(&path, &text, PRIVATE)?;
            }
        }
        Ok(())
    }

    /// Returns the spending of a day on a channel by caller, base units.
    pub fn spent_on(&self, day: Day, channel: &Pubkey) -> BTreeMap<String, u64> {
        let written = self.written();
        let own =
            written.spent.iter().filter(|((of, on, _), _)| (of, *on) == (channel, day.number()));
        own.map(|((_, _, caller), amount)| (caller.clone(), *amount)).collect()
    }

    /// Returns the highest total of a channel's receipts before a day, base units.
    pub fn total_before(&self, day: Day, channel: &Pubkey, opened_slot: u64) -> u64 {
        let (first, end) =
            ((*channel, opened_slot, i64::MIN), (*channel, opened_slot, day.number()));
        let written = self.written();
        written.totals.range(first..end).map(|(_, total)| *total).max().unwrap_or(0)
    }

    /// Returns the spending of a day on channels other than `open`, base units: by all, and by a caller.
    pub fn spent_elsewhere(&self, day: Day, caller: Option<&str>, open: &BTreeSet<Pubkey>) -> u64 {
        let written = self.written();
        let matching = written.spent.iter().filter(|((channel, of, by), _)| {
            *of == day.number() && !open.contains(channel) && caller.is_none_or(|name| name == by)
        });
        matching.map(|(_, amount)| *amount).fold(0, u64::saturating_add)
    }

    /// Returns the number of a channel's last receipt in the two newest files.
    pub fn newest(&self, channel: &Pubkey) -> Option<u64> {
        let written = self.written();
        // Of the channel's newest opening.
        let own = written.newest.range((*channel, 0)..=(*channel, u64::MAX));
        own.last().map(|(_, number)| *number)
    }

    /// Returns the receipts of some days' files that match, oldest first.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn find(
        &self,
        (first, last): (Day, Day),
        matches: impl Fn(&ArchivedReceipt) -> bool,
    ) -> Result<Vec<ArchivedReceipt>, PayerError> {
        let mut found = Vec::new();
        for day in first.to(last) {
            let mut from = 0;
            loop {
                let page = self.page(day, from, Self::MAX_PAGE)?;
                if page.next == from {
                    break;
                }
                from = page.next;
                found.extend(page.receipts.into_iter().filter(&matches));
            }
        }
        Ok(found)
    }

    /// Returns receipts of a day's file from a place on.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn page(&self, day: Day, from: u64, limit: usize) -> Result<ArchivePage, PayerError> {
        let path = self.path(day);
        let read = || -> io::Result<ArchivePage> {
            let mut page = ArchivePage { receipts: Vec::new(), next: from };
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(page),
                opened => opened?,
            };
            file.seek(SeekFrom::Start(from))?;
            let mut lines = BufReader::new(&mut file);
            while page.receipts.len() < limit.clamp(1, Self::MAX_PAGE) {
                let mut line = Vec::new();
                let length = lines.read_until(b'\n', &mut line)?;
                if !line.ends_with(b"\n") {
                    break;
                }
                page.next = page.next.saturating_add(length as u64);
                page.receipts.extend(serde_json::from_slice::<ArchivedReceipt>(&line).ok());
            }
            Ok(page)
        };
        read().map_err(|error| PayerError::state(&path, error))
    }

    fn path(&self, day: Day) -> PathBuf {
        self.folder.join(format!("{day}.jsonl"))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ArchivedReceipt {
    fn statement(&self) -> Statement {
        (self.receipt.channel.0, self.receipt.opened_slot, self.receipt.statement)
    }

    fn place(&self) -> Place {
        (self.statement(), self.receipt.position)
    }

    /// Whether it is of a payment that was offered again. Others have a caller.
    fn is_again(&self) -> bool {
        self.caller.is_none() && self.charged.0 == 0
    }
}

impl Written {
    fn has_number(&self, one: &ArchivedReceipt) -> bool {
        let key = (one.receipt.channel.0, one.receipt.opened_slot);
        self.newest.get(&key).is_some_and(|newest| *newest >= one.number)
    }

    fn has_position(&self, one: &ArchivedReceipt) -> bool {
        let ranges = self.positions.get(&one.statement());
        ranges.is_some_and(|ranges| ranges.has(one.receipt.position))
    }

    fn add(&mut self, one: &ArchivedReceipt, today: Day) {
        let (Address(channel), slot) = (one.receipt.channel, one.receipt.opened_slot);
        self.newest.insert((channel, slot), one.number);
        self.positions.entry(one.statement()).or_default().add(one.receipt.position);
        let day = Day::of(one.receipt.issued_at);
        let total = self.totals.entry((channel, slot, day.number())).or_default();
        *total = one.receipt.cumulative.0.max(*total);
        if day >= today {
            let caller = one.caller.clone().unwrap_or_default();
            let spent = self.spent.entry((channel, day.number(), caller)).or_default();
            *spent = spent.saturating_add(one.charged.0);
        }
        self.spent.retain(|(_, day, _), _| *day >= today.number());
    }
}

impl Ranges {
    fn has(&self, position: u32) -> bool {
        self.0.range(..=position).next_back().is_some_and(|(_, end)| position < *end)
    }

    fn add(&mut self, position: u32) {
        if self.has(position) {
            return;
        }
        let mut end = position.saturating_add(1);
        if let Some(joined) = self.0.remove(&end) {
            end = joined;
        }
        match self.0.range_mut(..position).next_back() {
            Some((_, before)) if *before == position => *before = end,
            _ => {
                self.0.insert(position, end);
            }
        }
    }
}

/// Returns the two newest files of a folder, oldest first.
fn newest_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    paths.sort();
    Ok(paths.split_off(paths.len().saturating_sub(2)))
}

fn line(archived: &ArchivedReceipt) -> String {
    // Fails only for maps with keys other than text.
    let mut line = serde_json::to_string(archived).unwrap_or_default();
    line.push('\n');
    line
}

/// Opens a file, or creates it, to append. A last line that was cut off by the end of a process was not
/// durable, and is removed.
fn open_whole(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(PRIVATE).open(path)?;
    let length = file.metadata()?.len();
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            let mut bytes = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            file.set_len(end as u64)?;
        }
    }
    Ok(file)
}

/// Error of an append. The file had this length before, and could not be given it back.
struct TornFile {
    length: Option<u64>,
    error: io::Error,
}

impl From<io::Error> for TornFile {
    fn from(error: io::Error) -> Self {
        Self { length: None, error }
    }
}

/// Appends text as a whole or not at all.
fn append_durably(path: &Path, text: &[u8]) -> Result<(), TornFile> {
    if text.is_empty() {
        return Ok(());
    }
    let mut file = open_whole(path)?;
    let length = file.metadata()?.len();
    let appended = file.write_all(text).and_then(|()| file.sync_data());
    appended.map_err(|error| {
        let is_restored = file.set_len(length).is_ok();
        TornFile { length: (!is_restored).then_some(length), error }
    })
}

#[cfg(test)]
mod tests {
    use motif_sdk::receipt::SignedReceipt;

    use super::*;

    const TODAY: i64 = 20_000;

    /// Returns a receipt at the position of its number, issued at the start of a day.
    fn kept(number: u64, charged: u64, day: i64) -> KeptReceipt {
        let (position, issued_at) = (number - 1, day * 86_400 + 5);
        let parts = format!(
            r#"{{"digest":"{zero}","channel":"11111111111111111111111111111111","opened_slot":1,
                "statement":0,"position":{position},"license":0,"units":1,"terms_number":1,"amount":"7",
                "cumulative":"{number}0","work":"11111111111111111111111111111111",
                "request_digest":"{zero}","output_digest":"{zero}","issued_at":{issued_at},
                "signature":"{zero}{zero}"}}"#,
            zero = "0".repeat(64)
        );
        let parts: ReceiptParts = serde_json::from_str(&parts).unwrap();
        let receipt = SignedReceipt::from(&parts);
        KeptReceipt { number, tag: Some("local".to_owned()), charged, receipt }
    }

    fn open(folder: &tempfile::TempDir) -> Archive {
        Archive::open(folder.path(), Day::of(TODAY * 86_400)).unwrap()
    }

    /// Returns the numbers in a day's file, each of whose lines is whole.
    fn numbers(folder: &tempfile::TempDir, day: Day) -> Vec<u64> {
        let text = fs::read_to_string(folder.path().join(format!("{day}.jsonl"))).unwrap();
        assert!(text.ends_with('\n'), "{text}");
        let lines = text.lines().map(serde_json::from_str::<ArchivedReceipt>);
        lines.map(|line| line.unwrap().number).collect()
    }

    #[test]
    fn receipt_is_archived_once() {
        let folder = tempfile::tempdir().unwrap();
        let (today, yesterday) = (Day::of(TODAY * 86_400), Day::of((TODAY - 1) * 86_400));
        let archive = open(&folder);
        let both = [kept(1, 10, TODAY), kept(2, 20, TODAY)];
        assert_eq!(archive.append(&both[..1], today).unwrap(), Some(1));
        assert_eq!(archive.append(&both, today).unwrap(), Some(2));
        let nothing = BTreeSet::new();
        assert_eq!(archive.spent_elsewhere(today, Some("local"), &nothing), 30);
        // A torn line is removed.
        let path = folder.path().join(format!("{today}.jsonl"));
        let tear = || OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"numb");
        tear().unwrap();
        let archive = open(&folder);
        assert_eq!(numbers(&folder, today), [1, 2]);
        tear().unwrap();
        archive.append(&[kept(2, 20, TODAY), kept(3, 40, TODAY - 1)], today).unwrap();
        assert_eq!(numbers(&folder, today), [1, 2, 3]);
        let archive = open(&folder);
        assert_eq!(archive.spent_elsewhere(today, None, &nothing), 30);
        assert_eq!(archive.spent_elsewhere(today, Some("other"), &nothing), 0);
        let channel = Pubkey::default();
        assert_eq!(archive.spent_elsewhere(today, None, &BTreeSet::from([channel])), 0);
        assert_eq!(archive.spent_on(today, &channel), BTreeMap::from([("local".to_owned(), 30)]));
        assert_eq!(archive.total_before(today, &channel, 1), 30);
        assert_eq!(archive.total_before(yesterday, &channel, 1), 0);
        assert_eq!(archive.total_before(today, &channel, 2), 0);
        let page = archive.page(today, 0, 2).unwrap();
        let shown =
            |page: &ArchivePage| page.receipts.iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(shown(&page), [1, 2]);
        let rest = archive.page(today, page.next, 2).unwrap();
        assert_eq!(shown(&rest), [3]);
        assert_eq!(archive.newest(&channel), Some(3));
        let found = archive.find((yesterday, today), |one| one.number > 1).unwrap();
        assert_eq!(found.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 3]);
        assert!(archive.page(today, rest.next, 2).unwrap().receipts.is_empty());
    }

    #[test]
    fn older_state_s_receipts_are_archived() {
        let folder = tempfile::tempdir().unwrap();
        let today = Day::of(TODAY * 86_400);
        let archive = open(&folder);
        archive.append(&[kept(1, 10, TODAY), kept(2, 10, TODAY)], today).unwrap();
        // Its numbers begin again, and the positions go on.
        let next = KeptReceipt { number: 1, ..kept(3, 10, TODAY) };
        archive.append(&[next], today).unwrap();
        assert_eq!(numbers(&folder, today), [1, 2, 1]);
        let archive = open(&folder);
        assert_eq!(archive.newest(&Pubkey::default()), Some(1));
        archive.append(&[KeptReceipt { number: 1, ..kept(3, 10, TODAY) }], today).unwrap();
        assert_eq!(numbers(&folder, today), [1, 2, 1]);
    }

    #[test]
    fn offered_payment_keeps_its_caller() {
        let folder = tempfile::tempdir().unwrap();
        let today = Day::of(TODAY * 86_400);
        let archive = open(&folder);
        archive.append(&[kept(1, 10, TODAY), kept(2, 20, TODAY)], today).unwrap();
        // The gateway has issued its receipt a day later, and another one in the same batch.
        let again = |number, position| {
            let receipt = kept(position, 0, TODAY + 1).receipt;
            KeptReceipt { number, tag: None, charged: 0, receipt }
        };
        let batch = [kept(3, 30, TODAY), again(4, 2), again(5, 3)];
        for _ in 0..2 {
            assert_eq!(archive.append(&batch, today).unwrap(), Some(5));
            assert_eq!(numbers(&folder, today), [1, 2, 3]);
        }
        let page = archive.page(today, 0, 10).unwrap();
        let shown = page.receipts.iter().map(|one| {
            (one.caller.as_deref(), one.charged.0, Day::of(one.receipt.issued_at).number() - TODAY)
        });
        let local = Some("local");
        assert!(shown.eq([(local, 10, 0), (local, 20, 1), (local, 30, 1)]));
    }

    #[test]
    fn failed_append_leaves_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "whole\ntorn").unwrap();
        append_durably(&path, b"next\n").map_err(|torn| torn.error).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole\nnext\n");
        // A file that could not be shortened is shortened before the next append.
        let today = Day::of(TODAY * 86_400);
        let archive = open(&folder);
        archive.append(&[kept(1, 10, TODAY)], today).unwrap();
        let path = archive.path(today);
        let length = fs::metadata(&path).unwrap().len();
        let text = fs::read(&path).unwrap();
        fs::write(&path, [&text[..], &text, b"{\"numb"].concat()).unwrap();
        archive.written().torn = Some((path, length));
        archive.append(&[kept(2, 10, TODAY)], today).unwrap();
        assert_eq!(numbers(&folder, today), [1, 2]);
    }

    #[test]
    fn ranges_have_added_positions() {
        let mut ranges = Ranges::default();
        for position in [5, 3, 4, 4, 0, u32::MAX - 1, 1] {
            ranges.add(position);
        }
        let present = [0, 1, 3, 4, 5, u32::MAX - 1];
        assert!(present.into_iter().all(|position| ranges.has(position)));
        assert!([2, 6, u32::MAX - 2].into_iter().all(|position| !ranges.has(position)));
        assert_eq!(ranges.0, BTreeMap::from([(0, 2), (3, 6), (u32::MAX - 1, u32::MAX)]));
    }
}
