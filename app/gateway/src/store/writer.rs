use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
    thread,
};

use ed25519_dalek::SigningKey;
use motif_sdk::receipt::SignedReceipt;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Change, Generation, Lease, Leases, Moment, Moments, StoreError, applying,
    journal::{Journal, Keeper, Progress, Unapplied},
    leases::Refusals,
    row::{ChannelId, integer},
    signing::sign,
    sql::{Connection, query},
};
use crate::keys::BudgetReservation;

type Answer = Result<(), StoreError>;
/// As [`Answer`], with the receipts that were issued.
type Receipts = Result<Vec<SignedReceipt>, StoreError>;

/// The most changes in one transaction: bounds how long the first of them waits.
const GROUP: usize = 1_024;

/// How often a group is written again that the database undid because two transactions waited
/// for each other.
const ATTEMPTS: usize = 5;

/// What writes, one after the other: to a file by way of its journal.
#[derive(Clone)]
pub struct Writer {
    queue: Queue,
    /// Ends when everything that was queued is in the tables.
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
    failure: Failure,
    /// `None` without a journal.
    progress: Option<Arc<Progress>>,
}

#[derive(Clone)]
enum Queue {
    /// To the task that writes the tables.
    Tables(mpsc::UnboundedSender<Job>),
    /// To the thread that keeps the journal.
    Journal(std::sync::mpsc::Sender<Job>),
}

/// What is queued.
pub(super) enum Job {
    /// A change.
    Write(Waiting),
    /// Nothing, to be answered when it is on disk.
    Probe(oneshot::Sender<Receipts>),
    /// To be answered when the tables have everything that is durable.
    CatchUp(oneshot::Sender<Answer>),
    /// The end.
    Stop,
}

/// A change that is to be written.
pub(super) struct Order {
    /// The change.
    pub change: Change,
    /// What allows to write it, where it is about a channel.
    pub lease: Option<Lease>,
    /// Part of a key's budget; spent once the change is on disk, else returned.
    pub set_aside: Option<BudgetReservation>,
}

/// An order, and who waits for it.
pub(super) struct Waiting {
    /// What is to be written.
    pub order: Order,
    answer: oneshot::Sender<Receipts>,
}

impl Waiting {
    /// Says what became of it; returns the change.
    pub fn answer(self, outcome: Answer) -> Change {
        let Order { change, set_aside, .. } = self.order;
        if let (Ok(()), Some(set_aside)) = (&outcome, set_aside) {
            set_aside.keep();
        }
        let issued = || change.generations().iter().map(|generation| generation.receipt).collect();
        let _ = self.answer.send(outcome.map(|()| issued())); // whoever asked may have gone
        change
    }
}

/// Why nothing is written any more, once that is so. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure(Arc<OnceLock<StoreError>>);

impl Failure {
    /// The first failure.
    pub fn get(&self) -> Option<StoreError> {
        self.0.get().cloned()
    }

    /// Something has failed.
    pub fn set(&self, error: StoreError) {
        if self.0.set(error.clone()).is_ok() {
            tracing::error!(%error, "the store has failed; start the gateway again");
        }
    }
}

impl Job {
    /// The generations it stores, to be signed.
    pub fn generations_mut(&mut self) -> &mut [Generation] {
        match self {
            Self::Write(waiting) => waiting.order.change.generations_mut(),
            Self::Probe(_) | Self::CatchUp(_) | Self::Stop => &mut [],
        }
    }
}

/// Resolves when generations are on disk, to their receipts. They are written whether this is
/// awaited or not.
#[must_use = "nothing may be acknowledged before it is on disk"]
pub struct Issued(oneshot::Receiver<Receipts>);

/// Resolves when a change is on disk. The change is written whether this is awaited or not.
#[must_use = "nothing may be acknowledged before it is on disk"]
pub struct Written(Issued);

impl Future for Issued {
    type Output = Receipts;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Receipts> {
        let stopped = |_| Err(StoreError::closed());
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or_else(stopped))
    }
}

impl Future for Written {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.map(drop))
    }
}

impl Writer {
    /// Writes a server's tables.
    pub(super) fn to_server(scribe: Scribe, operator: SigningKey) -> Self {
        let (queue, jobs) = mpsc::unbounded_channel();
        let failure = Failure::default();
        let task = tokio::spawn(run(scribe, jobs, operator, failure.clone()));
        let task = Arc::new(Mutex::new(Some(task)));
        Self { queue: Queue::Tables(queue), task, failure, progress: None }
    }

    /// Writes a file's journal, and its tables after it.
    pub(super) fn to_file(
        scribe: Scribe,
        journal: Journal,
        operator: SigningKey,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = std::sync::mpsc::channel();
        let (tables, works) = mpsc::channel(1);
        let failure = Failure::default();
        let moments = scribe.moments.clone();
        let (keeper, progress) = Keeper::new(journal, operator, tables, failure.clone(), moments);
        let thread = thread::Builder::new().name("journal".into());
        let begun = thread.spawn(move || keeper.run(&jobs));
        begun.map_err(|error| StoreError::Failed(error.to_string()))?;
        let task = applying::apply(scribe, works, progress.clone(), failure.clone());
        let task = Arc::new(Mutex::new(Some(tokio::spawn(task))));
        Ok(Self { queue: Queue::Journal(queue), task, failure, progress: Some(progress) })
    }

    /// The first failure.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.failure.get()
    }

    /// Queues a change.
    pub(super) fn write(&self, order: Order) -> Written {
        Written(self.issue(order))
    }

    /// Queues a change that has receipts, to be signed on the way.
    pub(super) fn issue(&self, order: Order) -> Issued {
        let (answer, answered) = oneshot::channel();
        self.queue(Job::Write(Waiting { order, answer }));
        Issued(answered)
    }

    /// Waits until the tables have everything that was acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Failed`]: they lack something, and will until the next start.
    pub(super) async fn caught_up(&self) -> Answer {
        if self.progress.as_ref().is_none_or(|progress| progress.is_even()) {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        self.queue(Job::CatchUp(answer));
        answered.await.unwrap_or_else(|_| Err(StoreError::closed()))
    }

    /// Writes, to see whether it can.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub(super) async fn probe(&self) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.queue(Job::Probe(answer));
        Written(Issued(answered)).await
    }

    /// Writes what is queued and ends.
    pub(super) async fn stop(&self) {
        self.queue(Job::Stop);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    /// Where nobody reads the queue any more the job is dropped, which is an answer too.
    fn queue(&self, job: Job) {
        match &self.queue {
            Queue::Tables(queue) => drop(queue.send(job)),
            Queue::Journal(queue) => drop(queue.send(job)),
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
    operator: SigningKey,
    failure: Failure,
) {
    let mut group = Vec::with_capacity(GROUP);
    let mut stopping = false;
    while !stopping && jobs.recv_many(&mut group, GROUP).await > 0 {
        sign(&mut group, &operator);
        let mut waiting = Vec::with_capacity(group.len());
        for job in group.drain(..) {
            match job {
                Job::Write(order) => waiting.push(order),
                Job::Probe(answer) => {
                    let order = Order { change: Change::Nothing, lease: None, set_aside: None };
                    waiting.push(Waiting { order, answer });
                }
                Job::CatchUp(answer) => drop(answer.send(Ok(()))), // there is nothing else
                Job::Stop => stopping = true,
            }
        }
        scribe.answer(waiting, &failure).await;
    }
    scribe.close().await;
}

/// What the tables are written with.
pub(super) struct Scribe {
    connection: Connection,
    leases: Option<Arc<Leases>>,
    /// Leases that ended before they were lost, by channel: the last epoch that is over.
    ended: HashMap<ChannelId, i64>,
    moments: Arc<dyn Moments>,
}

impl Scribe {
    /// With a connection of its own.
    pub fn new(
        connection: Connection,
        leases: Option<Arc<Leases>>,
        moments: Arc<dyn Moments>,
    ) -> Self {
        Self { connection, leases, ended: HashMap::new(), moments }
    }

    /// Writes a group, unless something has failed, and says so to everybody in it.
    pub async fn answer(&mut self, group: Vec<Waiting>, failure: &Failure) {
        let outcome = match failure.get() {
            Some(error) => Err(error),
            None => self.commit(&group).await,
        };
        if let Err(error) = &outcome {
            failure.set(error.clone());
        }
        for (place, waiting) in group.into_iter().enumerate() {
            let own = outcome.as_ref().map_err(StoreError::clone);
            let own = own.and_then(|refused| refused.get(&place).cloned().map_or(Ok(()), Err));
            waiting.answer(own);
        }
    }

    /// Writes what the journal has into the tables.
    ///
    /// # Errors
    /// [`StoreError::Failed`]; the tables are then as they were.
    pub async fn apply(&mut self, batch: &Unapplied) -> Result<(), StoreError> {
        let applied = self.try_apply(batch).await;
        if applied.is_err() {
            // If this fails as well, the next start undoes it.
            let _ = query("ROLLBACK").execute(&mut self.connection).await;
        }
        applied.map_err(|error| StoreError::Failed(error.to_string()))?;
        self.moments.pass(Moment::Applied);
        Ok(())
    }

    async fn try_apply(&mut self, batch: &Unapplied) -> Result<(), sqlx::Error> {
        let to = &mut self.connection;
        query("BEGIN IMMEDIATE").execute(to).await?;
        Change::apply_journalled(&batch.changes, to).await?;
        let applied = query("UPDATE journal SET applied = $1").bind(integer(batch.through));
        applied.execute(to).await?;
        self.moments.pass(Moment::Applying);
        query("COMMIT").execute(to).await.map(drop)
    }

    /// Closes the connection.
    pub async fn close(self) {
        self.connection.close().await;
    }

    /// Writes a group in one transaction; returns what of it was refused, by place.
    async fn commit(
        &mut self,
        group: &[Waiting],
    ) -> Result<BTreeMap<usize, StoreError>, StoreError> {
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

    async fn try_commit(&mut self, group: &[Waiting]) -> Result<Refusals, sqlx::Error> {
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
        let changes: Vec<&Change> = allowed.map(|(_, waiting)| &waiting.order.change).collect();
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
