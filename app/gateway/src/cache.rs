//! Results of reads that many clients may request at once.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use opentelemetry::trace::FutureExt;
use parking_lot::Mutex;

use crate::error::GatewayError;

/// Results by key. Concurrent callers with one key share a read, and later callers its result while
/// it is fresh.
///
/// A read continues if its callers leave, so that a client cannot start one with each connection.
pub struct Cache<K, V> {
    ages: MaxAges,
    max_entries: usize,
    entries: Mutex<HashMap<K, Entry<V>>>,
}

/// Maximum ages of results. A result that was read after its caller arrived is always current.
#[derive(Clone, Copy, Debug)]
pub struct MaxAges {
    /// Of a value.
    pub value: Duration,
    /// Of an error.
    pub error: Duration,
}

/// Result for one key, locked while it is read.
type Entry<V> = Arc<tokio::sync::Mutex<Option<Kept<V>>>>;

struct Kept<V> {
    began: Instant,
    ended: Instant,
    found: Result<V, Arc<GatewayError>>,
}

impl<K: Eq + Hash, V: Clone + Send + 'static> Cache<K, V> {
    /// Creates an empty cache that keeps results of at most `max_entries` keys.
    pub fn new(ages: MaxAges, max_entries: usize) -> Self {
        Self { ages, max_entries, entries: Mutex::default() }
    }

    /// Returns the result for a key, from `read` if there is no current one.
    ///
    /// # Errors
    /// Those of `read`; [`GatewayError::Shared`] wraps them.
    pub async fn get<R>(&self, key: K, read: impl FnOnce() -> R) -> Result<V, GatewayError>
    where
        R: Future<Output = Result<V, GatewayError>> + Send + 'static,
    {
        let arrived = Instant::now();
        let mut kept = self.entry(key).lock_owned().await;
        if let Some(current) = kept.as_ref().filter(|kept| kept.is_current(self.ages, arrived)) {
            return current.found.clone().map_err(GatewayError::Shared);
        }
        let reading = read();
        let reading = async move {
            let began = Instant::now();
            let found = reading.await.map_err(Arc::new);
            *kept = Some(Kept { began, ended: Instant::now(), found: found.clone() });
            found
        };
        let read = tokio::spawn(reading.with_current_context()).await;
        read.map_err(GatewayError::internal)?.map_err(GatewayError::Shared)
    }

    /// Returns the entry of a key. If there are too many, drops those that are not current.
    fn entry(&self, key: K) -> Entry<V> {
        let mut entries = self.entries.lock();
        if entries.len() >= self.max_entries && !entries.contains_key(&key) {
            let now = Instant::now();
            entries.retain(|_, entry| match entry.try_lock() {
                Ok(kept) => kept.as_ref().is_some_and(|kept| kept.is_current(self.ages, now)),
                Err(_) => true, // being read
            });
            if entries.len() >= self.max_entries {
                entries.clear(); // reads in progress continue and answer their callers
            }
        }
        entries.entry(key).or_default().clone()
    }
}

impl<V> Kept<V> {
    fn is_current(&self, ages: MaxAges, arrived: Instant) -> bool {
        let max_age = match &self.found {
            Ok(_) => ages.value,
            // A restarted store or another process may answer the next request.
            Err(error) if error.is_local() => Duration::ZERO,
            Err(_) => ages.error,
        };
        self.began >= arrived || self.ended.elapsed() < max_age
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use motif_sdk::Pubkey;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cache(value: Duration, error: Duration) -> Cache<u32, u32> {
        Cache::new(MaxAges { value, error }, 4)
    }

    /// Returns the number of the read.
    async fn read(count: &Arc<AtomicU32>) -> Result<u32, GatewayError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(count.fetch_add(1, Ordering::Relaxed))
    }

    async fn get(cache: &Cache<u32, u32>, key: u32, count: &Arc<AtomicU32>) -> u32 {
        let count = count.clone();
        cache.get(key, || async move { read(&count).await }).await.unwrap()
    }

    #[tokio::test]
    async fn concurrent_callers_share_reads() {
        let (cache, count) = (cache(Duration::ZERO, Duration::ZERO), Arc::default());
        let all = join_all((0..100).map(|_| get(&cache, 1, &count))).await;
        // Callers that arrive after the first read has begun share the second.
        let reads = count.load(Ordering::Relaxed);
        assert!(reads <= 2 && all.iter().all(|number| *number < reads), "{reads}: {all:?}");
        assert_eq!(get(&cache, 1, &count).await, reads, "a later caller reads again");
    }

    #[tokio::test]
    async fn fresh_value_is_returned_without_read() {
        let (cache, count) = (cache(60 * SECOND, SECOND), Arc::default());
        for _ in 0..3 {
            assert_eq!(get(&cache, 1, &count).await, 0);
        }
        assert_eq!(get(&cache, 2, &count).await, 1, "another key");
    }

    #[tokio::test]
    async fn read_outlives_its_caller() {
        let (cache, count) = (cache(60 * SECOND, SECOND), Arc::default());
        tokio::select! {
            biased;
            _ = get(&cache, 1, &count) => panic!("it takes longer"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        assert_eq!(get(&cache, 1, &count).await, 0);
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn error_is_kept_unless_local() {
        let cache = cache(60 * SECOND, 60 * SECOND);
        let unknown = || async { Err(GatewayError::UnknownWork(Pubkey::default())) };
        assert!(cache.get(1, unknown).await.is_err());
        let kept = cache.get(1, || async { Ok(7) }).await.unwrap_err();
        assert_eq!(kept.problem_type().slug(), "unknown-work");
        let moving = cache.get(2, || async { Err(GatewayError::ChannelMoving) }).await;
        assert!(moving.unwrap_err().is_moved());
        assert_eq!(get(&cache, 2, &Arc::default()).await, 0, "it is not kept");
    }

    #[tokio::test]
    async fn invented_keys_do_not_fill_memory() {
        let (cache, count) = (cache(60 * SECOND, SECOND), Arc::default());
        join_all((0..50).map(|key| get(&cache, key, &count))).await;
        assert!(cache.entries.lock().len() <= 4);
    }
}
