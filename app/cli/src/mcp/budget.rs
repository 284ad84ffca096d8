//! A budget that holds over restarts.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use motif_sdk::durable_file::{LockError, LockFile};
use serde::{Deserialize, Serialize};

use crate::{error::CliError, files::write_atomically};

/// Limit of what purchases cost in all, and what they have cost so far: a file in a locked folder.
///
/// A price is reserved on disk before it is paid. A purchase whose outcome is unknown, such as one that
/// the process did not survive, keeps its reservation until it is repeated.
#[derive(Debug)]
pub struct Budget {
    path: PathBuf,
    limit: u64,
    book: Book,
    /// Locked while the budget exists.
    _lock: LockFile,
}

/// Content of the file. Amounts are base units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    /// Mint of the amounts.
    currency: String,
    spent: u64,
    /// Purchases under way, by their names.
    reserved: BTreeMap<String, Reservation>,
}

/// Price that is set aside for a purchase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// Base units.
    price: u64,
    /// Number of answers that the purchase's folder had before: one more proves that it was paid.
    pub answers: usize,
}

/// Error returned when a budget does not cover a price. Amounts are base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverBudget {
    /// What is left for the purchase.
    pub left: u64,
}

impl Budget {
    /// Opens the budget of a folder, which is created if it does not exist. Amounts of purchases by
    /// earlier processes count against `limit`.
    ///
    /// # Errors
    /// [`CliError::FolderInUse`] while another process has it; [`CliError::Unwritable`];
    /// [`CliError::Unreadable`] if the file is damaged, or of another currency.
    pub fn open(folder: &Path, currency: &str, limit: u64) -> Result<Self, CliError> {
        let unwritable = |error: io::Error| CliError::unwritable(folder, error);
        fs::create_dir_all(folder).map_err(unwritable)?;
        let lock = LockFile::take(&folder.join("lock")).map_err(|error| match error {
            LockError::Held(_) => CliError::FolderInUse(folder.display().to_string()),
            LockError::Io(error) => unwritable(error),
        })?;
        let path = folder.join("budget.json");
        let book = match fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|error| CliError::unreadable(&path, error))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Book { currency: currency.to_owned(), ..Book::default() }
            }
            Err(error) => return Err(CliError::unreadable(&path, error)),
        };
        if book.currency != currency {
            let reason = format!("it is in {}: expected {currency}", book.currency);
            return Err(CliError::unreadable(&path, reason));
        }
        let budget = Self { path, limit, book, _lock: lock };
        budget.write()?;
        Ok(budget)
    }

    /// Returns what is left beside reserved prices, base units.
    pub fn left(&self) -> u64 {
        self.left_for("")
    }

    /// Returns what purchases have cost, base units.
    pub fn spent(&self) -> u64 {
        self.book.spent
    }

    /// Returns the purchases under way, by their names.
    pub fn reserved(&self) -> BTreeMap<String, Reservation> {
        self.book.reserved.clone()
    }

    /// Reserves the price of a purchase whose folder has a number of answers. A repeated purchase
    /// keeps the higher of its prices and the lower number.
    ///
    /// # Errors
    /// The inner error if the price is not covered; [`CliError::Unwritable`], with nothing reserved.
    pub fn reserve(
        &mut self,
        purchase: &str,
        price: u64,
        answers: usize,
    ) -> Result<Result<(), OverBudget>, CliError> {
        let left = self.left_for(purchase);
        if price > left {
            return Ok(Err(OverBudget { left }));
        }
        let before = self.book.clone();
        let entry = self.book.reserved.entry(purchase.to_owned());
        let reservation = entry.or_insert(Reservation { price, answers });
        reservation.price = price.max(reservation.price);
        reservation.answers = answers.min(reservation.answers);
        if let Err(error) = self.write() {
            self.book = before;
            return Err(error);
        }
        Ok(Ok(()))
    }

    /// Replaces a reservation by what the purchase has cost; `None` for the reserved price.
    ///
    /// # Errors
    /// [`CliError::Unwritable`]; the file keeps the reservation then.
    pub fn settle(&mut self, purchase: &str, cost: Option<u64>) -> Result<(), CliError> {
        let reserved = self.book.reserved.remove(purchase).unwrap_or_default();
        self.book.spent = self.book.spent.saturating_add(cost.unwrap_or(reserved.price));
        self.write()
    }

    fn left_for(&self, purchase: &str) -> u64 {
        let others = self.book.reserved.iter().filter(|(name, _)| *name != purchase);
        let prices = others.map(|(_, reservation)| reservation.price);
        let taken = prices.fold(self.book.spent, u64::saturating_add);
        self.limit.saturating_sub(taken)
    }

    fn write(&self) -> Result<(), CliError> {
        let unwritable = |error| CliError::unwritable(&self.path, error);
        let text = serde_json::to_vec(&self.book).map_err(|error| unwritable(error.into()))?;
        write_atomically(&self.path, &text).map_err(unwritable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spending_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = |limit| Budget::open(folder.path(), "mint", limit).unwrap();
        let mut budget = open(1_000);
        assert_eq!(budget.reserve("a", 400, 0).unwrap(), Ok(()));
        budget.settle("a", Some(300)).unwrap();
        assert_eq!(budget.reserve("b", 500, 2).unwrap(), Ok(()));
        drop(budget); // killed while it buys b

        let mut budget = open(1_000);
        assert_eq!((budget.spent(), budget.left()), (300, 200));
        let reservation = Reservation { price: 500, answers: 2 };
        assert_eq!(budget.reserved(), BTreeMap::from([("b".to_owned(), reservation)]));
        assert_eq!(budget.reserve("c", 201, 0).unwrap(), Err(OverBudget { left: 200 }));
        assert_eq!(budget.reserve("b", 500, 2).unwrap(), Ok(()), "it repeats");
        budget.settle("b", None).unwrap();
        assert_eq!((budget.spent(), budget.left()), (800, 200));
        drop(budget);
        assert_eq!(open(700).left(), 0, "a lower limit leaves nothing");
    }

    #[test]
    fn released_price_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut budget = Budget::open(folder.path(), "mint", 10).unwrap();
        assert_eq!(budget.reserve("a", 10, 0).unwrap(), Ok(()));
        assert_eq!(budget.reserve("b", 1, 0).unwrap(), Err(OverBudget { left: 0 }));
        budget.settle("a", Some(0)).unwrap();
        assert_eq!(budget.left(), 10);
    }

    #[test]
    fn second_process_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = Budget::open(folder.path(), "mint", 10).unwrap();
        let second = Budget::open(folder.path(), "mint", 10).unwrap_err();
        assert!(matches!(second, CliError::FolderInUse(_)), "{second}");
        drop(first);
        let other = Budget::open(folder.path(), "other mint", 10).unwrap_err();
        assert!(matches!(other, CliError::Unreadable { .. }), "{other}");
    }
}
