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
    gateway::{
        KeptReceipt,
        wire::{Address, Amount, ReceiptParts},
    },
};
use serde::{Deserialize, Serialize};

use crate::{day::Day, problem::PayerError};

/// Receipts of all channels: one file for each UTC day of the export, one line of JSON each.
pub struct Archive {
    folder: PathBuf,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    /// Newest number by channel and its slot of opening.
    newest: BTreeMap<(Pubkey, u64), u64>,
    /// Spending by channel, day of issue and caller, base units.
    spent: BTreeMap<(Pubkey, i64, String), u64>,
}

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
        let names = fs::read_dir(folder).map_err(failed)?;
        let mut paths: Vec<PathBuf> = names
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .collect();
        paths.sort();
        // What an interrupted export has written is in the newest file; today's spending, in it and the
        // one before.
        for path in paths.iter().rev().take(2).rev() {
            let file = File::open(path).map_err(failed)?;
            for line in BufReader::new(file).lines() {
                // A line without its end was not durable when the process ended.
                let Ok(kept) = serde_json::from_str(&line.map_err(failed)?) else { continue };
                written.add(&kept, today);
            }
        }
        Ok(Self { folder: folder.to_owned(), written: Mutex::new(written) })
    }

    /// Writes receipts that are new, durably. Returns the newest number.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn append(&self, kept: &[KeptReceipt], today: Day) -> Result<Option<u64>, PayerError> {
        let path = self.path(today);
        let mut written = self.written();
        let mut text = String::new();
        let mut new = Vec::new();
        for one in kept {
            let archived = ArchivedReceipt {
                number: one.number,
                caller: one.tag.clone(),
                charged: Amount(one.charged),
                receipt: ReceiptParts::from(&one.receipt),
            };
            if !written.has(&archived) {
                // Fails only for maps with keys other than text.
                text += &serde_json::to_string(&archived).unwrap_or_default();
                text.push('\n');
                new.push(archived);
            }
        }
        append_durably(&path, text.as_bytes()).map_err(|error| PayerError::state(&path, error))?;
        for one in &new {
            written.add(one, today);
        }
        Ok(kept.last().map(|one| one.number))
    }

    /// Returns the spending of a day on channels other than `open`, base units: by all, and by a caller.
    pub fn spent_elsewhere(&self, day: Day, caller: Option<&str>, open: &BTreeSet<Pubkey>) -> u64 {
        let written = self.written();
        let matching = written.spent.iter().filter(|((channel, of, by), _)| {
            *of == day.number() && !open.contains(channel) && caller.is_none_or(|name| name == by)
        });
        matching.map(|(_, amount)| *amount).fold(0, u64::saturating_add)
    }

    /// Returns the number of a channel's newest receipt in the two newest files.
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

impl Written {
    fn has(&self, one: &ArchivedReceipt) -> bool {
        let key = (one.receipt.channel.0, one.receipt.opened_slot);
        self.newest.get(&key).is_some_and(|newest| *newest >= one.number)
    }

    fn add(&mut self, one: &ArchivedReceipt, today: Day) {
        let Address(channel) = one.receipt.channel;
        let newest = self.newest.entry((channel, one.receipt.opened_slot)).or_default();
        *newest = one.number.max(*newest);
        let day = Day::of(one.receipt.issued_at);
        if day >= today {
            let caller = one.caller.clone().unwrap_or_default();
            let spent = self.spent.entry((channel, day.number(), caller)).or_default();
            *spent = spent.saturating_add(one.charged.0);
        }
        self.spent.retain(|(_, day, _), _| *day >= today.number());
    }
}

fn append_durably(path: &Path, text: &[u8]) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    // A line that was cut off by the end of a process is ended, so that the next one can be read.
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    file.write_all(text)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use motif_sdk::receipt::SignedReceipt;

    use super::*;

    fn kept(number: u64, charged: u64, issued_at: i64) -> KeptReceipt {
        let parts = format!(
            r#"{{"digest":"{zero}","channel":"11111111111111111111111111111111","opened_slot":1,
                "statement":0,"position":0,"license":0,"units":1,"terms_number":1,"amount":"7",
                "cumulative":"7","work":"11111111111111111111111111111111",
                "request_digest":"{zero}","output_digest":"{zero}","issued_at":{issued_at},
                "signature":"{zero}{zero}"}}"#,
            zero = "0".repeat(64)
        );
        let parts: ReceiptParts = serde_json::from_str(&parts).unwrap();
        let receipt = SignedReceipt::from(&parts);
        KeptReceipt { number, tag: Some("local".to_owned()), charged, receipt }
    }

    #[test]
    fn receipt_is_archived_once() {
        let folder = tempfile::tempdir().unwrap();
        let today = Day::of(20_000 * 86_400);
        let at = today.number() * 86_400 + 5;
        let archive = Archive::open(folder.path(), today).unwrap();
        let both = [kept(1, 10, at), kept(2, 20, at)];
        assert_eq!(archive.append(&both[..1], today).unwrap(), Some(1));
        assert_eq!(archive.append(&both, today).unwrap(), Some(2));
        let nothing = BTreeSet::new();
        assert_eq!(archive.spent_elsewhere(today, Some("local"), &nothing), 30);
        // A torn line is left out.
        let path = folder.path().join(format!("{today}.jsonl"));
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"numb").unwrap();
        let archive = Archive::open(folder.path(), today).unwrap();
        archive.append(&[kept(2, 20, at), kept(3, 40, at - 86_400)], today).unwrap();
        let archive = Archive::open(folder.path(), today).unwrap();
        assert_eq!(archive.spent_elsewhere(today, None, &nothing), 30);
        assert_eq!(archive.spent_elsewhere(today, Some("other"), &nothing), 0);
        let open = BTreeSet::from([Pubkey::default()]);
        assert_eq!(archive.spent_elsewhere(today, None, &open), 0);
        let page = archive.page(today, 0, 2).unwrap();
        let numbers =
            |page: &ArchivePage| page.receipts.iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(&page), [1, 2]);
        let rest = archive.page(today, page.next, 2).unwrap();
        assert_eq!(numbers(&rest), [3]);
        assert_eq!(archive.newest(&Pubkey::default()), Some(3));
        let yesterday = Day::of(at - 86_400);
        let found = archive.find((yesterday, today), |one| one.number > 1).unwrap();
        assert_eq!(found.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 3]);
        assert!(archive.page(today, rest.next, 2).unwrap().receipts.is_empty());
    }
}
