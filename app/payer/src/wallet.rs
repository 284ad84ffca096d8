use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use motif_sdk::durable_file::{PRIVATE, replace};
use serde::{Deserialize, Serialize};

use crate::{callers::Caller, day::Day, problem::PayerError};

/// What the wallet's transactions of a UTC day have cost beside deposits: rent and fees in lamports, and
/// upfront fees of terms. A transaction counts at its maximum, durably, before it is signed; one whose
/// outcome stays unknown keeps counting.
pub struct WalletSpending {
    path: PathBuf,
    lamports_per_day: u64,
    state: Mutex<State>,
}

struct State {
    spent: Spent,
    /// Upfront fee that is being paid, which the budgets have reserved.
    under_way: Option<(Caller, u64)>,
}

/// Content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Spent {
    /// Days since 1970.
    day: i64,
    lamports: u64,
    /// Upfront fees by caller, base units.
    upfront_fees: BTreeMap<String, u64>,
}

/// Cost of a transaction.
#[derive(Clone, Debug, Default)]
pub struct WalletCost {
    /// Rent and fee, lamports.
    pub lamports: u64,
    /// Upfront fee with the caller that has asked for the license, base units.
    pub upfront_fee: Option<(Caller, u64)>,
}

/// Transaction that is under way, one at a time. It keeps counting at its maximum, unless its cost is known
/// at the end.
pub struct BegunTransaction<'a> {
    wallet: &'a WalletSpending,
    most: WalletCost,
    day: Day,
}

impl WalletSpending {
    /// Opens the file, or starts without one.
    ///
    /// # Errors
    /// [`PayerError::StateInvalid`], [`PayerError::StateFailed`].
    pub fn open(path: &Path, lamports_per_day: u64) -> Result<Self, PayerError> {
        let spent = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| PayerError::damaged(path, e))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Spent::default(),
            Err(error) => return Err(PayerError::state(path, error)),
        };
        let state = Mutex::new(State { spent, under_way: None });
        Ok(Self { path: path.to_owned(), lamports_per_day, state })
    }

    /// Returns the maximum rent and fees of a day, lamports.
    pub fn lamports_per_day(&self) -> u64 {
        self.lamports_per_day
    }

    /// Returns the rent and fees of a day, lamports.
    pub fn lamports(&self, day: Day) -> u64 {
        self.state().spent.on(day).lamports
    }

    /// Returns the upfront fees of a day, base units; of all callers without `caller`. One that is being
    /// paid counts with its reservation instead.
    pub fn upfront_fees(&self, day: Day, caller: Option<&str>) -> u64 {
        let state = self.state();
        let is_of = |name: &str| caller.is_none_or(|caller| caller == name);
        let fees = state.spent.on(day).upfront_fees;
        let fees = fees.iter().filter(|(name, _)| is_of(name));
        let all = fees.map(|(_, fee)| *fee).fold(0, u64::saturating_add);
        let under_way = state.under_way.as_ref().filter(|(name, _)| is_of(name));
        all.saturating_sub(under_way.map_or(0, |(_, fee)| *fee))
    }

    /// Checks that a day's rent and fees may rise.
    ///
    /// # Errors
    /// [`PayerError::OverSolBudget`].
    pub fn check(&self, lamports: u64, day: Day) -> Result<(), PayerError> {
        let (total, budget) = (self.lamports(day).saturating_add(lamports), self.lamports_per_day);
        if total > budget { Err(PayerError::OverSolBudget { total, budget }) } else { Ok(()) }
    }

    /// Counts a transaction at its maximum cost, durably, before it is signed.
    ///
    /// # Errors
    /// [`PayerError::OverSolBudget`], [`PayerError::StateFailed`].
    pub fn begin(&self, most: WalletCost, day: Day) -> Result<BegunTransaction<'_>, PayerError> {
        self.check(most.lamports, day)?;
        let mut state = self.state();
        let mut spent = state.spent.on(day);
        spent.add(&most);
        self.save(&spent)?;
        state.spent = spent;
        state.under_way.clone_from(&most.upfront_fee);
        Ok(BegunTransaction { wallet: self, most, day })
    }

    fn save(&self, spent: &Spent) -> Result<(), PayerError> {
        let written = serde_json::to_vec(spent)
            .map_err(io::Error::from)
            .and_then(|text| replace(&self.path, &text, PRIVATE));
        written.map(drop).map_err(|error| PayerError::state(&self.path, error))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BegunTransaction<'_> {
    /// Replaces the maximum cost by what the transaction has cost, durably.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn end(self, cost: &WalletCost) -> Result<(), PayerError> {
        let mut state = self.wallet.state();
        if state.spent.day != self.day.number() {
            return Ok(());
        }
        let mut spent = state.spent.clone();
        spent.lamports = spent.lamports.saturating_sub(self.most.lamports);
        if let Some((caller, fee)) = &self.most.upfront_fee
            && let Some(all) = spent.upfront_fees.get_mut(&**caller)
        {
            *all = all.saturating_sub(*fee);
        }
        spent.add(cost);
        self.wallet.save(&spent)?;
        state.spent = spent;
        state.under_way = None;
        Ok(())
    }
}

impl Drop for BegunTransaction<'_> {
    fn drop(&mut self) {
        self.wallet.state().under_way = None;
    }
}

impl Spent {
    /// Returns the spending of a day: nothing, if the present one is another day's.
    fn on(&self, day: Day) -> Self {
        let nothing = || Self { day: day.number(), ..Self::default() };
        if self.day == day.number() { self.clone() } else { nothing() }
    }

    fn add(&mut self, cost: &WalletCost) {
        self.lamports = self.lamports.saturating_add(cost.lamports);
        if let Some((caller, fee)) = &cost.upfront_fee {
            let all = self.upfront_fees.entry(caller.to_string()).or_default();
            *all = all.saturating_add(*fee);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(lamports: u64, fee: u64) -> WalletCost {
        WalletCost { lamports, upfront_fee: Some((Caller::from("local"), fee)) }
    }

    #[test]
    fn killed_transaction_counts_at_maximum() {
        let folder = tempfile::tempdir().unwrap();
        let (path, day) = (folder.path().join("wallet.json"), Day::of(86_400));
        let open = || WalletSpending::open(&path, 100).unwrap();
        let wallet = open();
        let begun = wallet.begin(cost(60, 7), day).unwrap();
        // The reservation of the budgets has it while it is under way.
        assert_eq!((wallet.lamports(day), wallet.upfront_fees(day, None)), (60, 0));
        drop(begun);
        assert_eq!(wallet.upfront_fees(day, None), 7);
        let wallet = open();
        assert_eq!((wallet.lamports(day), wallet.upfront_fees(day, Some("local"))), (60, 7));
        assert_eq!(wallet.upfront_fees(day, Some("other")), 0);
        let over = wallet.begin(cost(41, 0), day).err();
        assert!(matches!(over, Some(PayerError::OverSolBudget { total: 101, budget: 100 })));
        assert_eq!(open().lamports(day), 60);
        // Another day starts at nothing.
        let next = Day::of(2 * 86_400);
        assert_eq!((wallet.lamports(next), wallet.upfront_fees(next, None)), (0, 0));
        assert!(wallet.begin(cost(41, 0), next).is_ok());
    }

    #[test]
    fn torn_file_is_invalid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.json");
        for text in ["", "{\"day\":"] {
            fs::write(&path, text).unwrap();
            let opened = WalletSpending::open(&path, 100).err();
            assert!(matches!(opened, Some(PayerError::StateInvalid { .. })), "{opened:?}");
        }
    }

    #[test]
    fn known_outcome_counts_what_was_paid() {
        let folder = tempfile::tempdir().unwrap();
        let (path, day) = (folder.path().join("wallet.json"), Day::of(86_400));
        let wallet = WalletSpending::open(&path, 100).unwrap();
        for (paid, lamports, fees) in
            [(Some(cost(10, 7)), 10, 7), (Some(WalletCost::default()), 10, 7), (None, 70, 14)]
        {
            let begun = wallet.begin(cost(60, 7), day).unwrap();
            if let Some(paid) = paid {
                begun.end(&paid).unwrap();
            } else {
                drop(begun);
            }
            let open = WalletSpending::open(&path, 100).unwrap();
            for wallet in [&wallet, &open] {
                assert_eq!(wallet.lamports(day), lamports);
                assert_eq!(wallet.upfront_fees(day, None), fees);
            }
        }
    }
}
