use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Change, Lease, Leases, Moment, Moments, StoreError,
    leases::Refusals,
    row::ChannelId,
    sql::{Connection, query},
};
use crate::keys::SetAside;

type Answer = Result<(), StoreError>;

/// The most changes in one transaction: bounds how long the first of them waits.
const GROUP: usize = 1_024;

/// How often a group is written again that the database undid because two transactions waited
/// for each other.
const ATTEMPTS: usize = 5;

/// The one task that writes.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Job>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
    failure: Arc<OnceLock<StoreError>>,
}

enum Job {
    Write(Order, oneshot::Sender<Answer>),
    Stop,
}

/// A change that is to be written.
pub(super) struct Order {
    /// The change.
    pub change: Change,
    /// What allows to write it, where it is about a channel.
    pub lease: Option<Lease>,
    /// Part of a key's budget; spent once the change is on disk, else returned.
    pub set_aside: Option<SetAside>,
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
    pub(super) fn start(
        connection: Connection,
        leases: Option<Arc<Leases>>,
        moments: Arc<dyn Moments>,
    ) -> Self {
        let (queue, jobs) = mpsc::unbounded_channel();
        let failure = Arc::<OnceLock<StoreError>>::default();
        let scribe = Scribe { connection, leases, ended: HashMap::new(), moments };
        let task = tokio::spawn(run(scribe, jobs, failure.clone()));
        Self { queue, task: Arc::new(Mutex::new(Some(task))), failure }
    }

    /// The first failure.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.failure.get().cloned()
    }

    /// Queues a change.
    pub(super) fn write(&self, order: Order) -> Written {
        let (answer, answered) = oneshot::channel();
        // After the task has ended the answer's sender is dropped, which is an answer too.
        let _ = self.queue.send(Job::Write(order, answer));
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

impl fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Writer").field("failure", &self.failure).finish_non_exhaustive()
    }
}

/// Writes group after group. After the first failure nothing is written any more: a failed
/// fsync may have lost pages that later ones would report as written, and of a commit that got
/// no answer nobody knows.
async fn run(
    mut scribe: Scribe,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    failure: Arc<OnceLock<StoreError>>,
) {
    let mut group = Vec::with_capacity(GROUP);
    let mut stopping = false;
    while !stopping && jobs.recv_many(&mut group, GROUP).await > 0 {
        let (mut orders, mut answers) = (Vec::new(), Vec::new());
        for job in group.drain(..) {
            match job {
                Job::Write(order, answer) => {
                    orders.push(order);
                    answers.push(answer);
                }
                Job::Stop => stopping = true,
            }
        }
        let outcome = match failure.get() {
            Some(error) => Err(error.clone()),
            None => scribe.commit(&orders).await,
        };
        if let Err(error) = &outcome
            && failure.set(error.clone()).is_ok()
        {
            tracing::error!(%error, "the store has failed; start the gateway again");
        }
        for (place, (order, answer)) in orders.into_iter().zip(answers).enumerate() {
            let own = outcome.as_ref().map_err(StoreError::clone);
            let own = own.and_then(|refused| refused.get(&place).cloned().map_or(Ok(()), Err));
            if let (Ok(()), Some(set_aside)) = (&own, order.set_aside) {
                set_aside.keep();
            }
            let _ = answer.send(own); // whoever asked may have gone
        }
    }
    scribe.connection.close().await;
}

/// What the task writes with.
struct Scribe {
    connection: Connection,
    leases: Option<Arc<Leases>>,
    /// Leases that ended before they were lost, by channel: the last epoch that is over.
    ended: HashMap<ChannelId, i64>,
    moments: Arc<dyn Moments>,
}

impl Scribe {
    /// Writes a group in one transaction; returns what of it was refused, by place.
    async fn commit(&mut self, group: &[Order]) -> Result<BTreeMap<usize, StoreError>, StoreError> {
        let mut attempt = 1;
        loop {
            self.moments.pass(Moment::Beginning);
            let error = match self.try_commit(group).await {
                Ok(refusals) => {
                    self.moments.pass(Moment::Committed);
                    let ended = refusals.ended.iter();
                    self.ended.extend(ended.map(|lease| (lease.channel_id, lease.epoch)));
                    return Ok(refusals.refused);
                }
                Err(error) => error,
            };
            // Half a group must not keep a file locked, nor be there; if this fails as well,
            // the next start undoes it.
            let undone = query("ROLLBACK").execute(&mut self.connection).await;
            if undone.is_err() || !was_in_the_way(&error) || attempt == ATTEMPTS {
                return Err(StoreError::Failed(error.to_string()));
            }
            attempt += 1;
        }
    }

    async fn try_commit(&mut self, group: &[Order]) -> Result<Refusals, sqlx::Error> {
        let begin = match &self.connection {
            Connection::Sqlite(_) => "BEGIN IMMEDIATE",
            Connection::Postgres(_) => "BEGIN",
        };
        query(begin).execute(&mut self.connection).await?;
        self.moments.pass(Moment::Begun);
        let refusals = match (&self.leases, &mut self.connection) {
            (Some(leases), Connection::Postgres(to)) => {
                leases.weigh(group, &self.ended, to).await?
            }
            _ => Refusals::default(),
        };
        let allowed = group.iter().enumerate();
        let allowed = allowed.filter(|(place, _)| !refusals.refused.contains_key(place));
        let changes: Vec<&Change> = allowed.map(|(_, order)| &order.change).collect();
        Change::apply_all(&changes, &mut self.connection).await?;
        self.moments.pass(Moment::Committing);
        query("COMMIT").execute(&mut self.connection).await?;
        Ok(refusals)
    }
}

/// Whether the server undid a transaction because of others, and knows of nothing wrong with it.
fn was_in_the_way(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| ["40001", "40P01"].contains(&&*code))
}
