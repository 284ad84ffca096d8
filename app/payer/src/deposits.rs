use std::{
    fs, io,
    path::{Path, PathBuf},
};

use motif_sdk::durable_file::{PRIVATE, replace};
use serde::{Deserialize, Serialize};

use crate::problem::PayerError;

/// Deposits that were signed and not confirmed. They count as locked until they are confirmed, rejected
/// or too old to land, also after the end of the process.
pub struct Deposits {
    path: PathBuf,
    pending: Vec<PendingDeposit>,
}

/// Deposit that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PendingDeposit {
    /// Base units.
    amount: u64,
    /// Unix second.
    signed_at: i64,
}

impl Deposits {
    /// Time after which a transaction can no longer land, seconds; its blockhash expires earlier.
    const LANDS_WITHIN: i64 = 180;

    /// Opens the file, or starts without one.
    ///
    /// # Errors
    /// [`PayerError::StateInvalid`], [`PayerError::StateFailed`].
    pub fn open(path: &Path) -> Result<Self, PayerError> {
        let pending = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| PayerError::damaged(path, e))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(PayerError::state(path, error)),
        };
        Ok(Self { path: path.to_owned(), pending })
    }

    /// Returns the amount that may still land, base units.
    pub fn pending(&self, now: i64) -> u64 {
        let open = self.pending.iter().filter(|one| one.signed_at + Self::LANDS_WITHIN > now);
        open.map(|one| one.amount).fold(0, u64::saturating_add)
    }

    /// Records a deposit, durably, before it is signed.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn begin(&mut self, amount: u64, now: i64) -> Result<(), PayerError> {
        self.pending.retain(|one| one.signed_at + Self::LANDS_WITHIN > now);
        self.pending.push(PendingDeposit { amount, signed_at: now });
        self.save()
    }

    /// Removes the last deposit, which was confirmed or rejected.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub fn end(&mut self) -> Result<(), PayerError> {
        self.pending.pop();
        self.save()
    }

    fn save(&self) -> Result<(), PayerError> {
        let written = serde_json::to_vec(&self.pending)
            .map_err(io::Error::from)
            .and_then(|text| replace(&self.path, &text, PRIVATE));
        written.map(drop).map_err(|error| PayerError::state(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_deposit_counts_until_it_expires() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deposits.json");
        let mut deposits = Deposits::open(&path).unwrap();
        deposits.begin(5, 1_000).unwrap();
        drop(deposits);
        let mut deposits = Deposits::open(&path).unwrap();
        assert_eq!((deposits.pending(1_179), deposits.pending(1_180)), (5, 0));
        deposits.begin(7, 1_100).unwrap();
        deposits.end().unwrap();
        assert_eq!(Deposits::open(&path).unwrap().pending(1_100), 5);
        fs::write(&path, "[{").unwrap();
        let torn = Deposits::open(&path).err();
        assert!(matches!(torn, Some(PayerError::StateInvalid { .. })), "{torn:?}");
    }
}
