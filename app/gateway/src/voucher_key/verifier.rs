use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use motif_sdk::voucher::SignedVoucher;
use tokio::{sync::oneshot, task::yield_now};

use super::{Lanes, Question, Verdict, VoucherKey};

/// Verifies vouchers, those that come at the same time side by side where the processor can.
#[derive(Default)]
pub struct Verifier {
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Question, oneshot::Sender<bool>)>,
    /// Whether somebody answers them.
    is_attended: bool,
}

/// Answers the queue; when it ends, however it does, whoever comes next gets another.
struct Attendant {
    queue: Arc<Mutex<Queue>>,
    /// Whether it has said itself that it has ended.
    has_left: bool,
}

/// How often the lanes are filled before others have a turn of the thread.
const ROUND: usize = 8;

impl Verifier {
    /// Whether a key has signed a voucher.
    pub async fn signed(&self, key: &Arc<VoucherKey>, voucher: &SignedVoucher) -> bool {
        if !key.is(&voucher.key) {
            return false;
        }
        let message = voucher.voucher.to_bytes();
        match key.ask(&message, &voucher.signature) {
            Verdict::Known(is_good) => is_good,
            Verdict::Open(question) => match self.queue(question).await {
                Ok(is_good) => is_good,
                // Whoever was to answer has gone.
                Err(_) => key.verifies(&message, &voucher.signature),
            },
        }
    }

    fn queue(&self, question: Question) -> oneshot::Receiver<bool> {
        let (answer, answered) = oneshot::channel();
        let mut queue = lock(&self.queue);
        queue.waiting.push((question, answer));
        if !std::mem::replace(&mut queue.is_attended, true) {
            tokio::spawn(Attendant { queue: self.queue.clone(), has_left: false }.answer());
        }
        answered
    }
}

impl Attendant {
    /// Answers until nobody waits. Lets others run before each round: they are who would wait next.
    async fn answer(mut self) {
        while self.is_needed() {
            yield_now().await;
            // Whoever was in the lanes goes on, on another thread, while they are filled again.
            for _ in 0..ROUND {
                let (questions, answers): (Vec<_>, Vec<_>) = {
                    let mut queue = lock(&self.queue);
                    let most = queue.waiting.len().min(Lanes::COUNT);
                    queue.waiting.drain(..most).unzip()
                };
                if questions.is_empty() {
                    break;
                }
                for (is_good, answer) in Question::answer_all(&questions).into_iter().zip(answers) {
                    // Whoever asked may have gone.
                    let _ = answer.send(is_good);
                }
            }
        }
    }

    /// Whether anybody waits; where nobody does, it has left.
    fn is_needed(&mut self) -> bool {
        let mut queue = lock(&self.queue);
        self.has_left = queue.waiting.is_empty();
        queue.is_attended = !self.has_left;
        !self.has_left
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        if !self.has_left {
            lock(&self.queue).is_attended = false;
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use futures::future::join_all;
    use motif_sdk::{Pubkey, voucher::Voucher};

    use super::*;
    use crate::voucher_key::OFTEN;

    fn vouchers(count: u64) -> Vec<(Arc<VoucherKey>, SignedVoucher, bool)> {
        let one = |number: u64| {
            let signing = SigningKey::from_bytes(blake3::hash(&number.to_le_bytes()).as_bytes());
            let voucher = Voucher {
                cluster: [1; 32],
                channel: Pubkey::new_from_array([2; 32]),
                opened_slot: 3,
                statement: 4,
                cumulative: number,
                statement_digest: [5; 32],
                expires_at: 6,
            };
            let mut signed = SignedVoucher::sign(voucher, &signing);
            let key = VoucherKey::read(&signed.key).unwrap();
            // Busy by the time that it counts.
            for _ in 0..=OFTEN {
                key.verifies(b"message", &signing.sign(b"message").to_bytes());
            }
            let is_good = number % 3 != 1;
            signed.voucher.cumulative += u64::from(!is_good);
            (key, signed, is_good)
        };
        (0..count).map(one).collect()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn everybody_who_asks_at_once_gets_the_own_answer() {
        let verifier = Arc::new(Verifier::default());
        let asking = vouchers(200).into_iter().map(|(key, voucher, is_good)| {
            let verifier = verifier.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    assert_eq!(verifier.signed(&key, &voucher).await, is_good);
                }
            })
        });
        for asked in join_all(asking.collect::<Vec<_>>()).await {
            asked.unwrap();
        }
        yield_now().await;
    }

    #[tokio::test]
    async fn whoever_goes_keeps_nobody_waiting() {
        let verifier = Verifier::default();
        let vouchers = vouchers(20);
        for (key, voucher, _) in &vouchers {
            let asked = verifier.signed(key, voucher);
            assert!(futures::poll!(std::pin::pin!(asked)).is_pending() || Lanes::get().is_none());
        }
        let (key, voucher, is_good) = &vouchers[0];
        assert_eq!(verifier.signed(key, voucher).await, *is_good);
        assert!(lock(&verifier.queue).waiting.is_empty());
    }

    #[test]
    fn an_attendant_that_has_gone_is_replaced() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let verifier = Verifier::default();
        let vouchers = vouchers(2);
        let (key, voucher, is_good) = &vouchers[0];
        // It ends with its runtime, before it has answered anybody.
        runtime().block_on(async {
            let _ = futures::poll!(std::pin::pin!(verifier.signed(key, voucher)));
        });
        assert_eq!(runtime().block_on(verifier.signed(key, voucher)), *is_good);
    }

    #[tokio::test]
    async fn whoever_is_not_answered_finds_out_alone() {
        let verifier = Verifier::default();
        for (key, voucher, is_good) in &vouchers(2) {
            let mut asked = std::pin::pin!(verifier.signed(key, voucher));
            let _ = futures::poll!(asked.as_mut());
            lock(&verifier.queue).waiting.clear();
            if Lanes::get().is_some() {
                assert_eq!(asked.await, *is_good);
            }
        }
    }

    #[tokio::test]
    async fn a_voucher_of_another_key_is_not_this_ones() {
        let vouchers = vouchers(2);
        let verifier = Verifier::default();
        assert!(!verifier.signed(&vouchers[0].0, &vouchers[1].1).await);
    }
}
