//! Recognising works: what content is registered as, and what it is like.
//!
//! The [`Recognition`] of a gateway holds the index; its [`Follower`] builds it from the chain
//! when the gateway starts and keeps it current.

mod authenticating;
mod follower;

use std::{
    path::PathBuf,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use motif_sdk::{
    credentials::Digests,
    fingerprint::{DecodingWorker, Examined},
    recognition::{Index, Recognised},
};
use tokio::sync::{Semaphore, SemaphorePermit};

pub use follower::Follower;

use crate::problem::ApiError;

/// Pieces of content that are taken in at once; each may be as long as content may be.
const UPLOADS: usize = 8;
/// Pieces of content that are decoded at once; each takes a processor.
const DECODERS: usize = 2;

/// What a gateway needs to recognise works.
#[derive(Debug)]
pub struct Recognition {
    known: RwLock<Known>,
    uploads: Semaphore,
    decoders: Semaphore,
    worker: DecodingWorker,
    /// Where the index is kept between starts: beside a store that is a file.
    snapshot: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Known {
    index: Index,
    /// When all of it was read from the chain, unix seconds; `None` before it was.
    read_at: Option<i64>,
}

impl Recognition {
    /// Knows nothing yet. The snapshot stands beside the store.
    pub fn new(worker: DecodingWorker, store: Option<&std::path::Path>) -> Self {
        let snapshot = store.map(|store| {
            let mut name = store.as_os_str().to_owned();
            name.push(".works");
            PathBuf::from(name)
        });
        Self {
            known: RwLock::default(),
            uploads: Semaphore::new(UPLOADS),
            decoders: Semaphore::new(DECODERS),
            worker,
            snapshot,
        }
    }

    /// Room for one more piece of content to be taken in.
    ///
    /// # Errors
    /// [`ApiError::RecognitionBusy`].
    pub fn room(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.uploads.try_acquire().map_err(|_| ApiError::RecognitionBusy)
    }

    /// What content is and says of itself, decoded where it can do no harm.
    pub(crate) async fn examine(&self, content: Vec<u8>) -> Examined {
        // Nobody closes the semaphore.
        let _turn = self.decoders.acquire().await;
        self.worker.examine(content).await
    }

    /// Which works are exactly this, and which are like it; of how many, as of when.
    ///
    /// # Errors
    /// [`ApiError::RecognitionNotReady`].
    pub(crate) fn recognise(
        &self,
        digests: &Digests,
        probes: &[motif_sdk::licensing::Fingerprint],
    ) -> Result<(Recognised, u64, i64), ApiError> {
        let known = self.known();
        let read_at = known.read_at.ok_or(ApiError::RecognitionNotReady)?;
        let recognised = known.index.recognise(digests.iter(), probes);
        Ok((recognised, known.index.len() as u64, read_at))
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}
