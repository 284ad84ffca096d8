use std::sync::Arc;

use parking_lot::Mutex;
use tokio::{sync::oneshot, task::yield_now};

use crate::{
    lanes::Lanes,
    public_key::{Check, Equation, PublicKey},
};

/// Verifies concurrent signatures together: on processors with AVX-512 IFMA up to eight at a time.
///
/// A signature never waits for others to arrive. Signatures that arrive while a batch is evaluated
/// form the next batch.
#[derive(Default)]
pub struct Verifier {
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Equation, oneshot::Sender<bool>)>,
    /// True while a [`Worker`] drains the queue.
    has_worker: bool,
}

/// Task that drains the queue. When it is dropped unfinished, the next caller spawns another one.
struct Worker {
    queue: Arc<Mutex<Queue>>,
    has_finished: bool,
}

/// Batches that are evaluated between two yields to the runtime.
const BATCHES_PER_TURN: usize = 8;

impl Verifier {
    /// Returns whether `signature` is the signature of `message` by `key`, as strict verification
    /// decides it. Must be called on a Tokio runtime.
    pub async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        match key.check(message, signature) {
            Check::Done(is_valid) => is_valid,
            Check::Pending(equation) => match self.enqueue(equation).await {
                Ok(is_valid) => is_valid,
                // The worker was dropped before it came to this signature.
                Err(_) => key.verify(message, signature),
            },
        }
    }

    fn enqueue(&self, equation: Equation) -> oneshot::Receiver<bool> {
        let (reply, result) = oneshot::channel();
        let mut queue = self.queue.lock();
        queue.waiting.push((equation, reply));
        if !std::mem::replace(&mut queue.has_worker, true) {
            tokio::spawn(Worker { queue: self.queue.clone(), has_finished: false }.run());
        }
        result
    }
}

impl Worker {
    /// Evaluates batches until the queue is empty. Yields first: other tasks that are ready to run
    /// are likely to add signatures.
    async fn run(mut self) {
        while !self.finish() {
            yield_now().await;
            // Tasks of the last batch continue on other threads while the next one is evaluated.
            for _ in 0..BATCHES_PER_TURN {
                let (equations, replies): (Vec<_>, Vec<_>) = {
                    let mut queue = self.queue.lock();
                    let count = queue.waiting.len().min(Lanes::COUNT);
                    queue.waiting.drain(..count).unzip()
                };
                if equations.is_empty() {
                    break;
                }
                for (is_valid, reply) in Equation::evaluate_all(&equations).into_iter().zip(replies)
                {
                    let _ = reply.send(is_valid); // the caller may have been cancelled
                }
            }
        }
    }

    /// Finishes if the queue is empty; returns whether it did.
    fn finish(&mut self) -> bool {
        let mut queue = self.queue.lock();
        self.has_finished = queue.waiting.is_empty();
        queue.has_worker = !self.has_finished;
        self.has_finished
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.has_finished {
            self.queue.lock().has_worker = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use futures::future::join_all;

    use super::*;
    use crate::{lanes::tests::lanes_or_skip, public_key::BUSY_AFTER, tests::signing_key};

    struct Signed {
        key: PublicKey,
        message: Vec<u8>,
        signature: [u8; 64],
        is_valid: bool,
    }

    impl Signed {
        async fn verify(&self, verifier: &Verifier) -> bool {
            verifier.verify(&self.key, &self.message, &self.signature).await
        }
    }

    /// Signatures by as many busy keys. Every third one is of another message.
    fn signatures(count: u64) -> Vec<Signed> {
        let sign = |number: u64| {
            let signing: SigningKey = signing_key(number);
            let key = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
            let message = number.to_le_bytes().to_vec();
            let signature = signing.sign(&message).to_bytes();
            for _ in 0..=BUSY_AFTER {
                key.verify(&message, &signature);
            }
            let is_valid = number % 3 != 1;
            let message = if is_valid { message } else { b"another message".to_vec() };
            Signed { key, message, signature, is_valid }
        };
        (0..count).map(sign).collect()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn concurrent_callers_get_own_results() {
        let verifier = Arc::new(Verifier::default());
        let callers = signatures(200).into_iter().map(|signed| {
            let verifier = verifier.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    assert_eq!(signed.verify(&verifier).await, signed.is_valid);
                }
            })
        });
        for caller in join_all(callers.collect::<Vec<_>>()).await {
            caller.unwrap();
        }
        yield_now().await;
    }

    #[tokio::test]
    async fn cancelled_callers_block_no_others() {
        let verifier = Verifier::default();
        let signatures = signatures(20);
        let has_lanes = lanes_or_skip().is_some();
        for signed in &signatures {
            let call = signed.verify(&verifier);
            assert!(futures::poll!(std::pin::pin!(call)).is_pending() || !has_lanes);
        }
        assert_eq!(signatures[0].verify(&verifier).await, signatures[0].is_valid);
        assert!(verifier.queue.lock().waiting.is_empty());
    }

    #[test]
    fn dropped_worker_is_replaced() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let verifier = Verifier::default();
        let signatures = signatures(2);
        // The worker is dropped with its runtime before it has evaluated anything.
        runtime().block_on(async {
            let _ = futures::poll!(std::pin::pin!(signatures[0].verify(&verifier)));
        });
        let result = runtime().block_on(signatures[0].verify(&verifier));
        assert_eq!(result, signatures[0].is_valid);
    }

    #[tokio::test]
    async fn caller_verifies_itself_without_worker() {
        let verifier = Verifier::default();
        let has_lanes = lanes_or_skip().is_some();
        for signed in &signatures(2) {
            let mut call = std::pin::pin!(signed.verify(&verifier));
            let _ = futures::poll!(call.as_mut());
            verifier.queue.lock().waiting.clear();
            if has_lanes {
                assert_eq!(call.await, signed.is_valid);
            }
        }
    }

    #[tokio::test]
    async fn signature_of_another_key_is_rejected() {
        let verifier = Verifier::default();
        let signatures = signatures(3);
        let (one, other) = (&signatures[0], &signatures[2]);
        assert!(verifier.verify(&one.key, &one.message, &one.signature).await);
        assert!(!verifier.verify(&other.key, &one.message, &one.signature).await);
    }
}
