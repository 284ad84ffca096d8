use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// Locks of holds or payments. One is looked up in the store under its lock, so that no concurrent
/// request adds it meanwhile.
#[derive(Debug, Default)]
pub struct IdLocks(Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>);

impl IdLocks {
    /// Waits for the lock of a hold or a payment. Dropping the guard unlocks it.
    pub async fn lock(&self, id: [u8; 32]) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock();
            // Locks without holder and waiter are removed.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.entry(id).or_default().clone()
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_id_is_locked_once() {
        let locks = IdLocks::default();
        let first = locks.lock([1; 32]).await;
        assert!(locks.lock([1; 32]).now_or_never().is_none());
        let other = locks.lock([2; 32]).await;
        drop(first);
        let again = locks.lock([1; 32]).await;
        drop((other, again));
        drop(locks.lock([3; 32]).await);
        let kept = locks.0.lock().len();
        assert_eq!(kept, 1, "unused locks are removed");
    }
}
