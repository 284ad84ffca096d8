use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use motif_interface::receipt::SignedReceipt;
use tokio::sync::oneshot;

use crate::{
    change::Change, error::StoreError, generation::Generation, key_budget::BudgetReservation,
    lease::Lease,
};

pub type WriteResult = Result<(), StoreError>;
/// Result of a write, with the receipts that it issued.
pub type ReceiptsResult = Result<Vec<SignedReceipt>, StoreError>;

/// A write in the writer's queue, and the caller that waits for it.
pub struct Command {
    /// What to write.
    pub change: Change,
    /// Lease under which the change was decided; `None` for a change that concerns no channel.
    pub lease: Option<Lease>,
    /// Part of an API key's budget: committed with the change, else returned.
    pub reservation: Option<BudgetReservation>,
    /// Gets the result.
    pub reply: oneshot::Sender<ReceiptsResult>,
}

/// An entry of the writer's queue.
pub enum Message {
    /// Write a change.
    Write(Command),
    /// Write something, to find out whether writes succeed.
    Probe(oneshot::Sender<ReceiptsResult>),
    /// Reply when everything durable is in the tables.
    CatchUp(oneshot::Sender<WriteResult>),
    /// Write what is queued and stop.
    Stop,
}

/// Future of the receipts of generations. Resolves when they are durable; they are written even if
/// it is dropped.
#[must_use = "nothing may be acknowledged before it is durable"]
pub struct Issued(oneshot::Receiver<ReceiptsResult>);

/// Future of a write. Resolves when the change is durable; it is written even if the future is
/// dropped.
#[must_use = "nothing may be acknowledged before it is durable"]
pub struct Written(Issued);

impl Command {
    /// Sends the result to the caller, commits or returns the reservation, and returns the change.
    pub fn reply(self, result: WriteResult) -> Change {
        let Self { change, reservation, reply, .. } = self;
        if let (Ok(()), Some(reservation)) = (&result, reservation) {
            reservation.commit();
        }
        let receipts = || change.generations().iter().map(|one| one.receipt).collect();
        let _ = reply.send(result.map(|()| receipts())); // the caller may have been cancelled
        change
    }
}

impl Message {
    /// Returns the generations to be signed.
    pub fn generations_mut(&mut self) -> &mut [Generation] {
        match self {
            Self::Write(command) => command.change.generations_mut(),
            Self::Probe(_) | Self::CatchUp(_) | Self::Stop => &mut [],
        }
    }
}

impl Issued {
    pub(crate) fn new(result: oneshot::Receiver<ReceiptsResult>) -> Self {
        Self(result)
    }
}

impl Written {
    pub(crate) fn new(result: oneshot::Receiver<ReceiptsResult>) -> Self {
        Self(Issued(result))
    }
}

impl Future for Issued {
    type Output = ReceiptsResult;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ReceiptsResult> {
        let closed = |_| Err(StoreError::closed());
        Pin::new(&mut self.0).poll(context).map(|result| result.unwrap_or_else(closed))
    }
}

impl Future for Written {
    type Output = WriteResult;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<WriteResult> {
        Pin::new(&mut self.0).poll(context).map(|result| result.map(drop))
    }
}
