use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::HeaderValue,
};
use futures::{StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Budget of bytes of all bodies in memory: requests, and answers until they are stored.
///
/// A body counts what has arrived of it, so that a slow sender takes little.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Semaphore>);

/// Bytes of one body; returned to the budget on drop.
#[derive(Debug)]
pub struct BodyShare {
    budget: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

/// Body in memory with its share of the budget.
#[derive(Debug)]
pub struct HeldBody {
    /// The whole body.
    pub bytes: Bytes,
    /// Its share, to be kept as long as the bytes.
    pub share: BodyShare,
}

/// Error of reading a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The body exceeds its maximum.
    TooLarge,
    /// The body ends early.
    Broken,
    /// The budget is used up.
    Full,
}

impl BodyBudget {
    /// Creates a budget of this many bytes.
    pub fn new(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Returns an empty share.
    pub fn share(&self) -> BodyShare {
        BodyShare { budget: self.0.clone(), taken: None }
    }

    /// Reads a body of at most `max_bytes`.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn collect(&self, body: Body, max_bytes: usize) -> Result<HeldBody, BodyError> {
        let (mut chunks, mut share) = (body.into_data_stream(), self.share());
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            if all.len() + chunk.len() > max_bytes {
                return Err(BodyError::TooLarge);
            }
            share.add(chunk.len())?;
            all.extend_from_slice(&chunk);
        }
        Ok(HeldBody { bytes: all.into(), share })
    }
}

impl BodyShare {
    /// Takes bytes that have arrived.
    ///
    /// # Errors
    /// [`BodyError::Full`].
    pub fn add(&mut self, bytes: usize) -> Result<(), BodyError> {
        let bytes = u32::try_from(bytes).map_err(|_| BodyError::TooLarge)?;
        let more = self.budget.clone().try_acquire_many_owned(bytes);
        let more = more.map_err(|_| BodyError::Full)?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }

    /// Returns bytes that are no longer in memory.
    pub fn release(&mut self, bytes: usize) {
        if let Some(taken) = &mut self.taken {
            drop(taken.split(bytes.min(taken.num_permits())));
        }
    }
}

impl HeldBody {
    const CHUNK_BYTES: usize = 64 * 1_024;

    /// Returns a response body that keeps the share until its last chunk is sent, and its length.
    pub fn into_body(self) -> (Body, HeaderValue) {
        let length = HeaderValue::from(self.bytes.len());
        let chunks = stream::unfold(self, async |mut held| {
            let length = held.bytes.len().min(Self::CHUNK_BYTES);
            let chunk = held.bytes.split_to(length);
            (!chunk.is_empty()).then_some((Ok::<_, std::convert::Infallible>(chunk), held))
        });
        (Body::from_stream(chunks), length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_share_one_budget() {
        let budget = BodyBudget::new(10);
        let first = budget.collect(Body::from("12345678"), 100).await.unwrap();
        let refused = budget.collect(Body::from("123"), 100).await.unwrap_err();
        assert_eq!(refused, BodyError::Full);
        let mut share = budget.share();
        share.add(2).unwrap();
        drop(first);
        assert_eq!(budget.collect(Body::from("12345678"), 100).await.unwrap().bytes, "12345678");
        share.release(2);
        assert_eq!(budget.collect(Body::from("1234567890"), 100).await.unwrap().bytes.len(), 10);
        let large = budget.collect(Body::from("123"), 2).await.unwrap_err();
        assert_eq!(large, BodyError::TooLarge);
    }

    #[tokio::test]
    async fn response_keeps_its_share() {
        let budget = BodyBudget::new(100);
        let held = budget.collect(Body::from(vec![7; 100]), 100).await.unwrap();
        let (body, length) = held.into_body();
        assert_eq!(length, "100");
        assert_eq!(budget.share().add(1), Err(BodyError::Full));
        assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), vec![7; 100]);
        assert_eq!(budget.share().add(100), Ok(()));
    }
}
