//! Recognition: which registered works content is, and which it resembles.
//!
//! [`Recognizer`] holds an index of all works; [`WorksFollower`] builds it from the chain at
//! start-up and keeps it current.

mod authenticate;
mod follower;
mod uploads;

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use motif_sdk::{
    Pubkey,
    client::CatalogueEntry,
    credentials::Digests,
    fingerprint::{DecodingWorker, Examined},
    licensing::Fingerprint,
    recognition::{Index, Recognised},
};
use parking_lot::RwLock;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use follower::WorksFollower;
pub use uploads::{Upload, Uploads};

use crate::{
    cache::{Cache, MaxAges},
    cluster::Cluster,
    error::{GatewayError, RecognitionError},
    store::Store,
};

/// Maximum number of matches whose works are kept.
const MAX_ENTRIES: usize = 256;
/// Maximum number of uploads that wait to be decoded or are decoded.
const MAX_EXAMINED: usize = 8;
/// Maximum number of concurrent decodings. Each occupies a processor.
const MAX_DECODINGS: usize = 2;

/// Recognizes registered works.
pub struct Recognizer {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) store: Store,
    index: RwLock<WorksIndex>,
    /// Works of matches by their addresses.
    entries: Cache<Vec<Pubkey>, Arc<Vec<CatalogueEntry>>>,
    uploads: Uploads,
    examined: Semaphore,
    decodings: Semaphore,
    worker: DecodingWorker,
    /// File that keeps the index between starts, beside a store that is a file.
    snapshot: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct WorksIndex {
    index: Index,
    /// Unix second of the last complete read from the chain; `None` before the first.
    read_at: Option<i64>,
}

impl Recognizer {
    /// Creates a recognizer with an empty index, which is kept beside `store_file`. Works of matches
    /// have these maximum ages.
    pub fn new(
        cluster: Arc<Cluster>,
        store: Store,
        worker: DecodingWorker,
        store_file: Option<&PathBuf>,
        ages: MaxAges,
    ) -> Self {
        let snapshot = store_file.map(|file| {
            let mut name = file.as_os_str().to_owned();
            name.push(".works");
            PathBuf::from(name)
        });
        Self {
            cluster,
            store,
            index: RwLock::default(),
            entries: Cache::new(ages, MAX_ENTRIES),
            uploads: Uploads::default(),
            examined: Semaphore::new(MAX_EXAMINED),
            decodings: Semaphore::new(MAX_DECODINGS),
            worker,
            snapshot,
        }
    }

    /// Begins an upload of an address.
    pub fn begin_upload(&self, address: IpAddr) -> Upload {
        self.uploads.begin(address)
    }

    /// Returns a permit to decode content, which has arrived.
    ///
    /// # Errors
    /// [`RecognitionError::Busy`].
    pub fn permit(&self) -> Result<SemaphorePermit<'_>, RecognitionError> {
        self.examined.try_acquire().map_err(|_| RecognitionError::Busy)
    }

    /// Returns works with their latest terms, which concurrent requests read once.
    async fn entries(&self, works: Vec<Pubkey>) -> Result<Arc<Vec<CatalogueEntry>>, GatewayError> {
        if works.is_empty() {
            return Ok(Arc::default());
        }
        let (chain, key) = (self.cluster.chain().clone(), works.clone());
        self.entries.get(key, || async move { Ok(Arc::new(chain.entries(&works).await?)) }).await
    }

    /// Decodes content in a separate process and reads its credentials.
    async fn examine(&self, content: Vec<u8>) -> Examined {
        // The semaphore is never closed.
        let _permit = self.decodings.acquire().await;
        self.worker.examine(content).await
    }

    /// Returns the works that match, the number of indexed works, and the unix second of the
    /// index.
    ///
    /// # Errors
    /// [`RecognitionError::NotReady`].
    fn recognize(
        &self,
        digests: &Digests,
        probes: &[Fingerprint],
    ) -> Result<(Recognised, u64, i64), RecognitionError> {
        let known = self.index.read();
        let read_at = known.read_at.ok_or(RecognitionError::NotReady)?;
        let recognized = known.index.recognise(digests.iter(), probes);
        Ok((recognized, known.index.len() as u64, read_at))
    }
}
