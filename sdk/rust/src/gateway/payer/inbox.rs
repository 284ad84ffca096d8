use std::collections::HashMap;

use motif_payer::Payment;
use tokio::sync::oneshot;

use super::Paid;
use crate::gateway::GatewayError;

/// Result of a payment.
pub type PaymentResult = Result<Paid, GatewayError>;

/// Payments that were not handed to the machine yet, and what waits for payments and doubts.
#[derive(Default)]
pub struct Inbox {
    next_ticket: u64,
    payments: Vec<Payment>,
    waiters: HashMap<u64, oneshot::Sender<PaymentResult>>,
    doubtful: Vec<oneshot::Sender<Result<(), GatewayError>>>,
    /// Whether a task drives the machine.
    is_driven: bool,
}

impl Inbox {
    /// Adds a payment; returns its result's receiver.
    pub fn add(&mut self, payment: Payment) -> oneshot::Receiver<PaymentResult> {
        let (sender, receiver) = oneshot::channel();
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.waiters.insert(ticket, sender);
        self.payments.push(Payment { ticket, ..payment });
        receiver
    }

    /// Adds a caller that waits until no batch is unanswered.
    pub fn add_doubtful(&mut self) -> oneshot::Receiver<Result<(), GatewayError>> {
        let (sender, receiver) = oneshot::channel();
        self.doubtful.push(sender);
        receiver
    }

    /// Marks the machine as driven; returns whether it was not.
    pub fn begin_driving(&mut self) -> bool {
        !std::mem::replace(&mut self.is_driven, true)
    }

    /// Marks the machine as not driven if nothing has arrived; returns whether nothing has.
    pub fn end_driving(&mut self) -> bool {
        self.is_driven = !(self.payments.is_empty() && self.doubtful.is_empty());
        !self.is_driven
    }

    /// Returns the number of payments that have arrived.
    pub fn arrived(&self) -> usize {
        self.payments.len()
    }

    /// Takes the payments that have arrived, and drops those that nothing waits for.
    pub fn take(&mut self) -> Vec<Payment> {
        let payments = std::mem::take(&mut self.payments);
        let waiters = &mut self.waiters;
        let mut is_wanted = |payment: &Payment| {
            let is_wanted = waiters.get(&payment.ticket).is_some_and(|waiter| !waiter.is_closed());
            if !is_wanted {
                waiters.remove(&payment.ticket);
            }
            is_wanted
        };
        payments.into_iter().filter(|payment| is_wanted(payment)).collect()
    }

    /// Sends the result of a payment to its caller, who may be gone.
    pub fn reply(&mut self, ticket: u64, result: PaymentResult) {
        if let Some(waiter) = self.waiters.remove(&ticket) {
            drop(waiter.send(result));
        }
    }

    /// Sends the outcome of an unanswered batch to those who wait for it.
    pub fn reply_doubtful(&mut self, result: &Result<(), GatewayError>) {
        for waiter in self.doubtful.drain(..) {
            drop(waiter.send(result.clone()));
        }
    }

    /// Forgets everything that waits, after the driving task has ended early.
    pub fn abandon(&mut self) {
        self.payments.clear();
        self.waiters.clear();
        self.doubtful.clear();
        self.is_driven = false;
    }
}
