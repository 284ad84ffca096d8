use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::OwnedMutexGuard;

/// One lock per key, which exists while it is held or awaited.
#[derive(Debug)]
pub struct Locks<K>(Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>);

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Locks<K> {
    /// Number of keys above which those that are free are removed.
    const SWEEP_ABOVE: usize = 1_024;

    /// Waits for the lock of a key.
    pub async fn lock(&self, key: K) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if locks.len() > Self::SWEEP_ABOVE {
                locks.retain(|_, lock| lock.strong_count() > 0);
            }
            let entry = locks.entry(key).or_default();
            entry.upgrade().unwrap_or_else(|| {
                let lock = Arc::default();
                *entry = Arc::downgrade(&lock);
                lock
            })
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn equal_keys_wait_for_each_other() {
        let locks = Arc::new(Locks::default());
        let held = locks.lock(1).await;
        drop(locks.lock(2).await);
        let other = tokio::spawn({
            let locks = locks.clone();
            async move { drop(locks.lock(1).await) }
        });
        tokio::task::yield_now().await;
        assert!(!other.is_finished());
        drop(held);
        other.await.unwrap();
    }
}
