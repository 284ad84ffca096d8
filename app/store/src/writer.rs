use std::{
    fmt,
    sync::{Arc, mpsc as std_mpsc},
    thread,
};

use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    change::Change,
    command::{Command, Issued, Message, WriteResult, Written},
    error::StoreError,
    failpoint::Failpoints,
    failure::Failure,
    journal::Journal,
    journal_writer::JournalWriter,
    key_budget::BudgetReservation,
    lease::Lease,
    sign::ReceiptSigner,
    table_writer::TableWriter,
    work::Progress,
};

/// Queue of all writes. They are written in their order, many at a time. Clones share the queue.
#[derive(Clone)]
pub struct Writer {
    queue: Queue,
    /// Task that writes the tables. It ends when everything queued is in them.
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
    failure: Failure,
    /// `None` without a journal.
    progress: Option<Arc<Progress>>,
}

#[derive(Clone)]
enum Queue {
    /// To the task that writes the tables of a server.
    Tables(mpsc::UnboundedSender<Message>),
    /// To the thread that writes the journal of a file.
    Journal(std_mpsc::Sender<Message>),
}

impl Writer {
    /// Starts a writer of a server's tables.
    pub(crate) fn to_server(tables: TableWriter, signer: ReceiptSigner) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        let failure = Failure::default();
        let task = tokio::spawn(tables.run(queue, signer, failure.clone()));
        let task = Arc::new(Mutex::new(Some(task)));
        Self { queue: Queue::Tables(sender), task, failure, progress: None }
    }

    /// Starts a writer of a file's journal and of its tables behind it.
    pub(crate) fn to_file(
        tables: TableWriter,
        journal: Journal,
        signer: ReceiptSigner,
        failpoints: Arc<dyn Failpoints>,
    ) -> Result<Self, StoreError> {
        let (sender, queue) = std_mpsc::channel();
        let (work_sender, work) = mpsc::channel(1);
        let failure = Failure::default();
        let (journal_writer, progress) =
            JournalWriter::new(journal, signer, work_sender, failure.clone(), failpoints);
        let thread = thread::Builder::new().name("journal".into());
        let started = thread.spawn(move || journal_writer.run(&queue));
        started.map_err(|error| StoreError::Failed(error.to_string()))?;
        let task = tables.run_behind_journal(work, progress.clone(), failure.clone());
        let task = Arc::new(Mutex::new(Some(tokio::spawn(task))));
        Ok(Self { queue: Queue::Journal(sender), task, failure, progress: Some(progress) })
    }

    /// Queues a change that concerns no channel.
    pub fn write(&self, change: Change) -> Written {
        Written::new(self.enqueue(change, None, None))
    }

    /// Queues a change of a channel. It is refused if the lease is lost.
    pub fn write_channel(&self, lease: Lease, change: Change) -> Written {
        Written::new(self.enqueue(change, Some(lease), None))
    }

    /// Queues generations of a channel, whose receipts are signed together with those of the same
    /// group. Commits the reservation with them.
    pub fn issue(
        &self,
        lease: Lease,
        change: Change,
        reservation: Option<BudgetReservation>,
    ) -> Issued {
        Issued::new(self.enqueue(change, Some(lease), reservation))
    }

    /// Waits until everything queued so far is durable.
    ///
    /// # Errors
    /// [`StoreError::Failed`]
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write(Change::Barrier).await
    }

    /// Writes to the disk, to find out whether writes succeed.
    ///
    /// # Errors
    /// [`StoreError::Failed`]
    pub async fn probe(&self) -> Result<(), StoreError> {
        let (reply, result) = oneshot::channel();
        self.send(Message::Probe(reply));
        Written::new(result).await
    }

    /// Returns the first failure, after which nothing is written.
    pub fn failure(&self) -> Option<StoreError> {
        self.failure.get()
    }

    /// Waits until the tables have everything that was acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Failed`]; the tables lack something until the store is opened again.
    pub(crate) async fn catch_up(&self) -> WriteResult {
        if self.progress.as_ref().is_none_or(|progress| progress.is_caught_up()) {
            return Ok(());
        }
        let (reply, result) = oneshot::channel();
        self.send(Message::CatchUp(reply));
        result.await.unwrap_or_else(|_| Err(StoreError::closed()))
    }

    /// Writes what is queued and stops.
    pub(crate) async fn stop(&self) {
        self.send(Message::Stop);
        let task = self.task.lock().take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    fn enqueue(
        &self,
        change: Change,
        lease: Option<Lease>,
        reservation: Option<BudgetReservation>,
    ) -> oneshot::Receiver<crate::command::ReceiptsResult> {
        let (reply, result) = oneshot::channel();
        match change.check_range() {
            Ok(()) => self.send(Message::Write(Command { change, lease, reservation, reply })),
            Err(error) => drop(reply.send(Err(error))),
        }
        result
    }

    /// Sends a message. A stopped writer drops it, which its caller sees as an error.
    fn send(&self, message: Message) {
        match &self.queue {
            Queue::Tables(queue) => drop(queue.send(message)),
            Queue::Journal(queue) => drop(queue.send(message)),
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Writer").field("failure", &self.failure).finish_non_exhaustive()
    }
}
