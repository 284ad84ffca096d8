use std::{mem, sync::Arc};

use motif_sdk::client::ConfirmedTransaction;
use parking_lot::Mutex;
use solana_signature::Signature;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    chain::{ChainError, MAX_STATUSES, SettlementStatus},
    cluster::Cluster,
};

/// Time limit of one read, in polls of the cluster: half a minute.
const MAX_READ_POLLS: u32 = 60;

/// Reads the statuses of all pending transactions together, at most once in half a poll
/// interval.
pub struct StatusPoller {
    cluster: Arc<Cluster>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Signature, oneshot::Sender<SettlementStatus>)>,
    /// Whether a task answers the queue.
    is_answered: bool,
    read_at: Option<Instant>,
}

impl StatusPoller {
    /// Creates a poller without transactions.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, queue: Mutex::default() }
    }

    /// Returns a transaction's status as of the next read.
    ///
    /// # Errors
    /// [`ChainError`], as of [`crate::chain::Chain::statuses`].
    pub async fn status(
        self: &Arc<Self>,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, ChainError> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut queue = self.queue.lock();
            queue.waiting.push((*signature, answer));
            !mem::replace(&mut queue.is_answered, true)
        };
        if begins {
            tokio::spawn(self.clone().answer_all());
        }
        let ended = |_| Err(ChainError::Unreachable("the gateway is shutting down".into()));
        answered.await.unwrap_or_else(ended)
    }

    /// Answers the queue until it is empty.
    async fn answer_all(self: Arc<Self>) {
        loop {
            let read_at = self.queue.lock().read_at;
            if let Some(read_at) = read_at {
                sleep_until(read_at + self.cluster.status_interval()).await;
            }
            let mut waiting = {
                let mut queue = self.queue.lock();
                if queue.waiting.is_empty() {
                    queue.is_answered = false;
                    return;
                }
                queue.read_at = Some(Instant::now());
                mem::take(&mut queue.waiting)
            };
            while !waiting.is_empty() {
                let rest = waiting.split_off(waiting.len().min(MAX_STATUSES));
                self.answer(mem::replace(&mut waiting, rest)).await;
            }
        }
    }

    async fn answer(&self, waiting: Vec<(Signature, oneshot::Sender<SettlementStatus>)>) {
        let signatures: Vec<_> = waiting.iter().map(|(signature, _)| *signature).collect();
        let limit = self.cluster.poll_interval() * MAX_READ_POLLS;
        let statuses = match timeout(limit, self.cluster.chain().statuses(&signatures)).await {
            Ok(Ok(statuses)) => statuses,
            Ok(Err(error)) => vec![Err(error); signatures.len()],
            Err(_) => {
                let late = ChainError::Unreachable("the statuses were not read in time".into());
                vec![Err(late); signatures.len()]
            }
        };
        // The call that waited may have been dropped.
        for ((_, answer), status) in waiting.into_iter().zip(statuses) {
            let _ = answer.send(status);
        }
    }
}
