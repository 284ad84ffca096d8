use std::{
    collections::{BTreeMap, HashMap},
    io::ErrorKind,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{sync::mpsc, time::timeout};

use crate::{
    change::Change,
    command::{Command, Message},
    error::StoreError,
    failpoint::{Failpoint, Failpoints},
    failure::Failure,
    generation::ChannelId,
    lease_guard::{LeaseGuard, Refusals},
    rows,
    server_session::{ServerSession, ping},
    sign::{ReceiptSigner, UnsignedLeases},
    sql::{Connection, integer, query},
    work::{Progress, Work},
};

/// Maximum number of changes in one transaction. It bounds the wait of the first of them.
pub const GROUP: usize = 1_024;

/// Number of attempts to commit a group that the server rolls back because of a deadlock, or whose
/// connection is lost.
const ATTEMPTS: usize = 5;

/// Maximum time of a transaction on a server. Afterwards its connection counts as lost.
const COMMIT_WITHIN: Duration = Duration::from_secs(30);

/// Time after which an idle connection to a server is used.
const IDLE: Duration = Duration::from_secs(30);

/// Writes the tables on a connection of its own.
///
/// After the first failure nothing is written: after a failed fsync, a later one may report pages as
/// written that were lost. On a server, a commit whose connection is lost is looked up and repeated.
pub struct TableWriter {
    connection: Connection,
    /// Session on a shared server, and the guard that checks leases and budgets there.
    server: Option<(ServerSession, LeaseGuard)>,
    /// Leases that ended before they were lost: the last epoch that has ended, by channel.
    ended: HashMap<ChannelId, i64>,
    failpoints: Arc<dyn Failpoints>,
}

impl TableWriter {
    /// Creates a writer. `server` is `None` for a file, which has one process.
    pub fn new(
        connection: Connection,
        server: Option<(ServerSession, LeaseGuard)>,
        failpoints: Arc<dyn Failpoints>,
    ) -> Self {
        Self { connection, server, ended: HashMap::new(), failpoints }
    }

    /// Writes groups from the queue until it is told to stop. Runs for a server, which has no
    /// journal.
    pub async fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Message>,
        signer: ReceiptSigner,
        failure: Failure,
    ) {
        let mut group = Vec::with_capacity(GROUP);
        let (mut unsigned, mut is_stopping) = (UnsignedLeases::default(), false);
        while !is_stopping {
            match timeout(IDLE, queue.recv_many(&mut group, GROUP)).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(_) => {
                    self.keep_alive(&failure).await;
                    continue;
                }
            }
            if let Err(error) = signer.sign(&mut group).await {
                unsigned.end(&group, &error);
            }
            let mut refused = Vec::new();
            let mut commands = Vec::with_capacity(group.len());
            for message in group.drain(..) {
                match message {
                    Message::Write(command) => match unsigned.refusal(&command) {
                        Some(error) => refused.push((command, error)),
                        None => commands.push(command),
                    },
                    Message::Probe(reply) => commands.push(Command {
                        change: Change::Barrier,
                        lease: None,
                        reservation: None,
                        reply,
                    }),
                    Message::CatchUp(reply) => drop(reply.send(Ok(()))), // nothing is elsewhere
                    Message::Stop => is_stopping = true,
                }
            }
            self.write_group(commands, &failure).await;
            for (command, error) in refused {
                command.reply(Err(error));
            }
        }
        self.connection.close().await;
    }

    /// Does the work that the journal writer hands over, until that has stopped. Changes that are
    /// not applied after a failure stay in the journal.
    pub async fn run_behind_journal(
        mut self,
        mut queue: mpsc::Receiver<Work>,
        progress: Arc<Progress>,
        failure: Failure,
    ) {
        while let Some(work) = queue.recv().await {
            match work {
                Work::Apply(batch) => {
                    if failure.get().is_some() {
                        continue;
                    }
                    match self.apply(&batch.changes, batch.through).await {
                        Ok(()) => progress.applied.store(batch.through, Ordering::Release),
                        Err(error) => failure.set(StoreError::Failed(error.to_string())),
                    }
                }
                Work::Commit(group) => self.write_group(group, &failure).await,
                Work::CatchUp(reply) => {
                    let _ = reply.send(failure.get().map_or(Ok(()), Err)); // may be cancelled
                }
            }
        }
        if failure.get().is_none() && progress.is_caught_up() {
            let clean = query("UPDATE journal SET clean = 1").execute(&mut self.connection).await;
            if let Err(error) = clean {
                tracing::warn!(%error, "the shutdown was not recorded");
            }
        }
        self.connection.close().await;
    }

    /// Writes changes of the journal, through the frame `through`. Changes that are in the tables are
    /// left as they are.
    ///
    /// # Errors
    /// [`sqlx::Error`]; the tables are unchanged.
    pub async fn apply(&mut self, changes: &[Change], through: u64) -> Result<(), sqlx::Error> {
        let changes: Vec<&Change> = changes.iter().collect();
        let mut applied = self.try_apply(&changes, true, through).await;
        if applied.as_ref().is_err_and(is_unique_violation) {
            query("ROLLBACK").execute(&mut self.connection).await?;
            applied = self.try_apply(&changes, false, through).await;
        }
        if applied.is_err() {
            // If this fails as well, the next start rolls back.
            let _ = query("ROLLBACK").execute(&mut self.connection).await;
        }
        applied?;
        self.failpoints.hit(Failpoint::Applied);
        Ok(())
    }

    async fn try_apply(
        &mut self,
        changes: &[&Change],
        are_new: bool,
        through: u64,
    ) -> Result<(), sqlx::Error> {
        let to = &mut self.connection;
        query("BEGIN IMMEDIATE").execute(to).await?;
        rows::apply_changes(changes, are_new, to).await?;
        let applied = query("UPDATE journal SET applied = $1").bind(integer(through));
        applied.execute(to).await?;
        self.failpoints.hit(Failpoint::Applying);
        query("COMMIT").execute(to).await.map(drop)
    }

    /// Writes a group, unless the store has failed, and replies to every change in it.
    async fn write_group(&mut self, group: Vec<Command>, failure: &Failure) {
        let result = match failure.get() {
            Some(error) => Err(error),
            None => self.commit(&group).await,
        };
        if let Err(error) = &result {
            failure.set(error.clone());
        }
        for (place, command) in group.into_iter().enumerate() {
            let own = result.as_ref().map_err(StoreError::clone);
            let own = own.and_then(|refused| refused.get(&place).cloned().map_or(Ok(()), Err));
            command.reply(own);
        }
    }

    /// Writes a group in one transaction; returns the refused changes by their place in the group.
    async fn commit(
        &mut self,
        group: &[Command],
    ) -> Result<BTreeMap<usize, StoreError>, StoreError> {
        let (mut attempt, mut are_new) = (1, true);
        loop {
            self.failpoints.hit(Failpoint::Beginning);
            let mut refusals = Refusals::default();
            let Err(error) = self.commit_in_time(group, are_new, &mut refusals).await else {
                return Ok(self.committed(refusals));
            };
            // Releases the lock of a file. If this fails as well, the next start rolls back.
            let rolled_back = is_answer(&error) && self.roll_back().await;
            if rolled_back && are_new && is_unique_violation(&error) {
                are_new = false;
                continue;
            }
            let failed = || StoreError::Failed(error.to_string());
            if attempt == ATTEMPTS {
                return Err(failed());
            }
            if !rolled_back {
                if self.server.is_none() {
                    return Err(failed());
                }
                tracing::warn!(%error, "the database's connection was lost during a commit");
                if self.reconnect().await? {
                    return Ok(self.committed(refusals));
                }
            } else if !is_deadlock(&error) {
                return Err(failed());
            }
            attempt += 1;
        }
    }

    /// Counts a committed group; returns its refused changes.
    fn committed(&mut self, refusals: Refusals) -> BTreeMap<usize, StoreError> {
        self.failpoints.hit(Failpoint::Committed);
        if let Some((session, _)) = &mut self.server {
            session.written += 1;
        }
        let ended = refusals.ended.iter();
        self.ended.extend(ended.map(|lease| (lease.channel_id, lease.epoch)));
        refusals.refused
    }

    async fn commit_in_time(
        &mut self,
        group: &[Command],
        are_new: bool,
        refusals: &mut Refusals,
    ) -> Result<(), sqlx::Error> {
        if self.server.is_none() {
            return self.try_commit(group, are_new, refusals).await;
        }
        let commit = timeout(COMMIT_WITHIN, self.try_commit(group, are_new, refusals));
        commit.await.unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into())))
    }

    /// Returns whether the transaction was rolled back.
    async fn roll_back(&mut self) -> bool {
        let roll_back = query("ROLLBACK").execute(&mut self.connection);
        if self.server.is_none() {
            return roll_back.await.is_ok();
        }
        timeout(COMMIT_WITHIN, roll_back).await.is_ok_and(|rolled_back| rolled_back.is_ok())
    }

    /// Connects to the server again. Returns whether the group in progress was committed.
    async fn reconnect(&mut self) -> Result<bool, StoreError> {
        let Some((session, _)) = &mut self.server else { return Ok(false) };
        let (connection, is_committed) = session.reconnect().await?;
        self.connection = Connection::Postgres(connection);
        tracing::info!(is_committed, "reconnected to the database");
        Ok(is_committed)
    }

    /// Uses an idle connection to a server, and opens it again if it is lost.
    async fn keep_alive(&mut self, failure: &Failure) {
        let Connection::Postgres(connection) = &mut self.connection else { return };
        if failure.get().is_some() || ping(connection).await {
            return;
        }
        if let Err(error) = self.reconnect().await {
            failure.set(error);
        }
    }

    async fn try_commit(
        &mut self,
        group: &[Command],
        are_new: bool,
        refusals: &mut Refusals,
    ) -> Result<(), sqlx::Error> {
        let begin = match &self.connection {
            Connection::Sqlite(_) => "BEGIN IMMEDIATE",
            Connection::Postgres(_) => "BEGIN",
        };
        query(begin).execute(&mut self.connection).await?;
        self.failpoints.hit(Failpoint::Begun);
        if let (Some((session, guard)), Connection::Postgres(to)) =
            (&self.server, &mut self.connection)
        {
            session.number_group(to).await?;
            *refusals = guard.check(group, &self.ended, to).await?;
        }
        let allowed = group.iter().enumerate();
        let allowed = allowed.filter(|(place, _)| !refusals.refused.contains_key(place));
        let changes: Vec<&Change> = allowed.map(|(_, command)| &command.change).collect();
        rows::apply_changes(&changes, are_new, &mut self.connection).await?;
        self.failpoints.hit(Failpoint::Committing);
        query("COMMIT").execute(&mut self.connection).await.map(drop)
    }
}

/// Returns whether the database has answered with an error, so that it rolls back.
fn is_answer(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed)
}

/// Returns whether the tables have something that was written as new.
fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// Returns whether the server rolled back because of a conflict with another transaction.
fn is_deadlock(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| ["40001", "40P01"].contains(&&*code))
}
