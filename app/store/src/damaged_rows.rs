use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::error::StoreError;

/// Rows that this process has read and that were changed since they were written. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct DamagedRows(Arc<Mutex<BTreeSet<String>>>);

impl DamagedRows {
    /// Maximum number of rows that are told apart.
    const MAX: usize = 10_000;

    /// Notes and logs a damaged row, if it is the reason of an error.
    pub fn noted<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Corrupt(reason)) = &read {
            let mut rows = self.rows();
            if rows.len() < Self::MAX && rows.insert(reason.clone()) {
                tracing::error!(reason, "a row of the store is damaged");
            }
        }
        read
    }

    /// Returns the number of rows.
    pub fn count(&self) -> usize {
        self.rows().len()
    }

    fn rows(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
