use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, query, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{Change, StoreError};

type Answer = Result<(), StoreError>;

/// The most changes in one transaction: bounds how long the first of them waits.
const GROUP: usize = 1_024;

/// The one task that writes.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Job>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
    failure: Arc<OnceLock<StoreError>>,
}

#[derive(Debug)]
enum Job {
    Write(Change, oneshot::Sender<Answer>),
    Stop,
}

/// Resolves when a change is on disk. The change is written whether this is awaited or not.
#[must_use = "nothing may be acknowledged before it is on disk"]
pub struct Written(oneshot::Receiver<Answer>);

impl Future for Written {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let stopped = |_| Err(StoreError::Failed("the store is closed".into()));
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or_else(stopped))
    }
}

impl Writer {
    /// Starts the task on a connection of its own.
    pub(super) async fn start(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let connection = options.connect().await?;
        let (queue, jobs) = mpsc::unbounded_channel();
        let failure = Arc::<OnceLock<StoreError>>::default();
        let task = tokio::spawn(run(connection, jobs, failure.clone()));
        Ok(Self { queue, task: Arc::new(Mutex::new(Some(task))), failure })
    }

    /// The first failure.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.failure.get().cloned()
    }

    /// Queues a change.
    pub(super) fn write(&self, change: Change) -> Written {
        let (answer, answered) = oneshot::channel();
        // After the task has ended the answer's sender is dropped, which is an answer too.
        let _ = self.queue.send(Job::Write(change, answer));
        Written(answered)
    }

    /// Writes what is queued and ends the task.
    pub(super) async fn stop(&self) {
        let _ = self.queue.send(Job::Stop);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

/// Writes group after group. After the first failure nothing is written any more: a failed
/// fsync may have lost pages that later ones would report as written.
async fn run(
    mut connection: SqliteConnection,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    failure: Arc<OnceLock<StoreError>>,
) {
    let mut group = Vec::with_capacity(GROUP);
    let mut stopping = false;
    while !stopping && jobs.recv_many(&mut group, GROUP).await > 0 {
        let (mut changes, mut answers) = (Vec::new(), Vec::new());
        for job in group.drain(..) {
            match job {
                Job::Write(change, answer) => {
                    changes.push(change);
                    answers.push(answer);
                }
                Job::Stop => stopping = true,
            }
        }
        let outcome = match failure.get() {
            Some(error) => Err(error.clone()),
            None => commit(&mut connection, &changes).await,
        };
        if let Err(error) = &outcome
            && failure.set(error.clone()).is_ok()
        {
            tracing::error!(%error, "the store has failed; start the gateway again");
        }
        for answer in answers {
            let _ = answer.send(outcome.clone()); // whoever asked may have gone
        }
    }
    let _ = connection.close().await;
}

async fn commit(connection: &mut SqliteConnection, changes: &[Change]) -> Answer {
    let committed = async {
        query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        Change::apply_all(changes, connection).await?;
        query("COMMIT").execute(&mut *connection).await.map(drop)
    };
    let committed = committed.await;
    if committed.is_err() {
        // Half a group must not keep the file locked, nor be there; if this fails as well, the
        // next start undoes it.
        let _ = query("ROLLBACK").execute(&mut *connection).await;
    }
    committed.map_err(|error: sqlx::Error| StoreError::Failed(error.to_string()))
}
