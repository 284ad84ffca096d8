use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use motif_sdk::{
    Pubkey,
    durable_file::{PRIVATE, replace},
};
use serde::{Deserialize, Serialize};

use crate::{day::Day, problem::PayerError};

/// Totals of channels at their gateways when they were opened, durably. What a gateway has charged and a
/// channel's state file does not have, because the file is an older copy or was deleted, counts as spent
/// on the day on which it is found.
pub struct Totals {
    path: PathBuf,
    channels: Mutex<BTreeMap<String, Total>>,
}

/// Total of a channel, base units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Total {
    /// Day of the last opening, days since 1970.
    day: i64,
    /// Total before this day, as far as it is known.
    before: u64,
    /// Total at the last opening.
    total: u64,
    /// Spending of this day of which there is neither a record nor a receipt.
    unknown: u64,
    /// Spending of this day by caller of which there are only receipts.
    #[serde(skip)]
    archived: BTreeMap<String, u64>,
}

/// What is known of an opened channel, base units.
pub struct KnownSpending {
    /// Total at the gateway.
    pub total: u64,
    /// Total before this day, by state file and receipts, whichever is higher.
    pub before: u64,
    /// Spending of this day by the state file.
    pub recorded: u64,
    /// Spending of this day by caller that is in receipts, and not in the state file.
    pub archived: BTreeMap<String, u64>,
}

impl Totals {
    /// Opens the file, or starts without one.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`], [`PayerError::StateInvalid`].
    pub fn open(path: &Path) -> Result<Self, PayerError> {
        let channels = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| PayerError::damaged(path, e))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(PayerError::state(path, error)),
        };
        Ok(Self { path: path.to_owned(), channels: Mutex::new(channels) })
    }

    /// Returns the names of the channels that were opened: address and slot of opening.
    pub fn names(&self) -> Vec<String> {
        self.channels().keys().cloned().collect()
    }

    /// Counts what a channel's state file does not have as spent today, durably.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn count(&self, name: &str, known: KnownSpending, today: Day) -> Result<(), PayerError> {
        let KnownSpending { total, before, recorded, archived } = known;
        let mut channels = self.channels();
        let earlier = channels.get(name).filter(|earlier| earlier.day <= today.number());
        let before = before.max(match earlier {
            Some(earlier) if earlier.day == today.number() => earlier.before,
            Some(earlier) => earlier.total,
            None => 0,
        });
        let unknown = archived.values().fold(recorded, |sum, amount| sum.saturating_add(*amount));
        let unknown = total.saturating_sub(before).saturating_sub(unknown);
        if unknown > 0 || !archived.is_empty() {
            tracing::warn!(
                channel = name,
                unknown,
                "the channel's state file does not have all payments: they count as spent today"
            );
        }
        let day = today.number();
        channels.insert(name.to_owned(), Total { day, before, total, unknown, archived });
        let text = serde_json::to_vec(&*channels).map_err(io::Error::from);
        let written = text.and_then(|text| replace(&self.path, &text, PRIVATE));
        written.map(drop).map_err(|error| PayerError::state(&self.path, error))
    }

    /// Returns what state files do not have of the spending of a day, base units: by all, or by a caller.
    /// What no caller is known of counts for each. Receipts of channels that are not `open` are left out.
    pub fn missing(&self, day: Day, caller: Option<&str>, open: &BTreeSet<Pubkey>) -> u64 {
        let channels = self.channels();
        let of_day = channels.iter().filter(|(_, total)| total.day == day.number());
        let missing = of_day.map(|(name, total)| {
            let is_open = named(name).is_some_and(|(channel, _)| open.contains(&channel));
            let by = total.archived.iter();
            let by = by.filter(|(by, _)| is_open && caller.is_none_or(|caller| caller == *by));
            by.fold(total.unknown, |sum, (_, amount)| sum.saturating_add(*amount))
        });
        missing.fold(0, u64::saturating_add)
    }

    fn channels(&self) -> MutexGuard<'_, BTreeMap<String, Total>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the channel and its slot of opening that the name of a state file has.
pub fn named(name: &str) -> Option<(Pubkey, u64)> {
    let (address, slot) = name.split_once('.')?;
    Some((address.parse().ok()?, slot.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "11111111111111111111111111111111.7";

    fn day(number: i64) -> Day {
        Day::of(number * 86_400)
    }

    /// Opens the file, and counts a channel; returns what is missing on the day.
    fn missing(path: &Path, today: i64, known: [u64; 3], archived: &[(&str, u64)]) -> u64 {
        let [total, before, recorded] = known;
        let archived = archived.iter().map(|(name, amount)| ((*name).to_owned(), *amount));
        let known = KnownSpending { total, before, recorded, archived: archived.collect() };
        let totals = Totals::open(path).unwrap();
        totals.count(NAME, known, day(today)).unwrap();
        let open = BTreeSet::from([Pubkey::default()]);
        assert_eq!(totals.missing(day(today + 1), None, &open), 0);
        totals.missing(day(today), None, &open)
    }

    #[test]
    fn lost_spending_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("totals.json");
        assert_eq!(missing(&path, 1, [100, 60, 40], &[]), 0);
        // The state file is lost, and then the receipts.
        assert_eq!(missing(&path, 1, [100, 0, 0], &[("ana", 30)]), 40);
        assert_eq!(missing(&path, 1, [100, 0, 0], &[]), 40);
        // Another payment is recorded by the new file.
        assert_eq!(missing(&path, 1, [110, 0, 10], &[]), 40);
        // On the next day only what came after is unknown.
        assert_eq!(missing(&path, 2, [115, 0, 5], &[]), 0);
        assert_eq!(missing(&path, 2, [125, 0, 5], &[]), 10);
        // A wrong clock's day says nothing.
        assert_eq!(missing(&path, 9, [125, 0, 5], &[]), 0);
        assert_eq!(missing(&path, 2, [125, 110, 5], &[]), 10);
    }

    #[test]
    fn lost_spending_counts_for_callers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("totals.json");
        assert_eq!(missing(&path, 1, [100, 0, 20], &[("ana", 30), ("ben", 10)]), 80);
        let totals = Totals::open(&path).unwrap();
        let archived = BTreeMap::from([("ana".to_owned(), 30), ("ben".to_owned(), 10)]);
        let known = KnownSpending { total: 100, before: 0, recorded: 20, archived };
        totals.count(NAME, known, day(1)).unwrap();
        let (open, none) = (BTreeSet::from([Pubkey::default()]), BTreeSet::new());
        for (caller, open_channel, closed) in [("ana", 70, 40), ("ben", 50, 40), ("eve", 40, 40)] {
            assert_eq!(totals.missing(day(1), Some(caller), &open), open_channel);
            assert_eq!(totals.missing(day(1), Some(caller), &none), closed);
        }
        assert_eq!(totals.names(), [NAME]);
        fs::write(&path, "").unwrap();
        assert!(matches!(Totals::open(&path), Err(PayerError::StateInvalid { .. })));
    }
}
