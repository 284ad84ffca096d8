use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::HeaderValue,
};
use futures::{StreamExt, stream};
use solana_sha256_hasher::Hasher;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Budget of bytes of all bodies in memory: requests, and answers until they are stored. Half of it is for
/// requests of strangers, so that they leave room for payers.
///
/// A body counts what has arrived of it, so that a slow sender takes little.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// Bytes of one body; returned to the budget on drop.
#[derive(Debug)]
pub struct BodyShare {
    /// The budgets that the body counts in, with what it has taken of each.
    taken: Vec<(Arc<Semaphore>, Option<OwnedSemaphorePermit>)>,
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
        let [all, strangers] = [bytes, bytes / 2].map(|bytes| Arc::new(Semaphore::new(bytes)));
        Self { all, strangers }
    }

    /// Returns an empty share.
    pub fn share(&self) -> BodyShare {
        BodyShare { taken: vec![(self.all.clone(), None)] }
    }

    /// Reads a body of at most `max_bytes`.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn collect(&self, body: Body, max_bytes: usize) -> Result<HeldBody, BodyError> {
        collect(body, max_bytes, self.share()).await
    }

    /// Reads a body of at most `max_bytes` of a client that has not proved that it can pay.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn collect_of_stranger(
        &self,
        body: Body,
        max_bytes: usize,
    ) -> Result<HeldBody, BodyError> {
        let taken = vec![(self.strangers.clone(), None), (self.all.clone(), None)];
        collect(body, max_bytes, BodyShare { taken }).await
    }

    /// Returns SHA-256 of a body of at most `max_bytes`, of which nothing is kept.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`], [`BodyError::Broken`].
    pub async fn digest(body: Body, max_bytes: usize) -> Result<[u8; 32], BodyError> {
        let (mut chunks, mut hasher, mut left) =
            (body.into_data_stream(), Hasher::default(), max_bytes);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            left = left.checked_sub(chunk.len()).ok_or(BodyError::TooLarge)?;
            hasher.hash(&chunk);
        }
        Ok(hasher.result().to_bytes())
    }
}

async fn collect(
    body: Body,
    max_bytes: usize,
    mut share: BodyShare,
) -> Result<HeldBody, BodyError> {
    let mut chunks = body.into_data_stream();
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

impl BodyShare {
    /// Takes bytes that have arrived.
    ///
    /// # Errors
    /// [`BodyError::Full`].
    pub fn add(&mut self, bytes: usize) -> Result<(), BodyError> {
        let bytes = u32::try_from(bytes).map_err(|_| BodyError::TooLarge)?;
        for (budget, taken) in &mut self.taken {
            let more = budget.clone().try_acquire_many_owned(bytes);
            let more = more.map_err(|_| BodyError::Full)?;
            match taken {
                Some(taken) => taken.merge(more),
                None => *taken = Some(more),
            }
        }
        Ok(())
    }

    /// Returns bytes that are no longer in memory.
    pub fn release(&mut self, bytes: usize) {
        for taken in self.taken.iter_mut().filter_map(|(_, taken)| taken.as_mut()) {
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
    async fn strangers_leave_half_to_payers() {
        let budget = BodyBudget::new(10);
        let of_stranger = |text: &'static str| budget.collect_of_stranger(Body::from(text), 100);
        let first = of_stranger("12345").await.unwrap();
        assert_eq!(of_stranger("1").await.unwrap_err(), BodyError::Full);
        let paid = budget.collect(Body::from("12345"), 100).await.unwrap();
        drop(first);
        assert_eq!(of_stranger("12345").await.unwrap().bytes, "12345");
        let more = budget.collect(Body::from("12345"), 100).await.unwrap();
        assert_eq!(of_stranger("1").await.unwrap_err(), BodyError::Full, "payers have all");
        drop((paid, more));
    }

    #[tokio::test]
    async fn digest_takes_no_budget() {
        let digest = |max| BodyBudget::digest(Body::from("12345"), max);
        assert_eq!(digest(5).await, Ok(solana_sha256_hasher::hash(b"12345").to_bytes()));
        assert_eq!(digest(4).await, Err(BodyError::TooLarge));
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
