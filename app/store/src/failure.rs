use std::sync::{Arc, OnceLock};

use crate::error::StoreError;

/// First failure of the writer, after which nothing is written. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Failure(Arc<OnceLock<StoreError>>);

impl Failure {
    /// Returns the first failure.
    pub fn get(&self) -> Option<StoreError> {
        self.0.get().cloned()
    }

    /// Sets and logs the failure, unless one is set.
    pub fn set(&self, error: StoreError) {
        if self.0.set(error.clone()).is_ok() {
            tracing::error!(%error, "the store has failed; restart the gateway");
        }
    }
}
