use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use motif_payer::{Effect, Machine, PayerError, Payment, Request, is_transient, now};
use solana_pubkey::Pubkey;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};

use super::{Paid, frames, inbox::Inbox, lock, state_file::StateFile};
use crate::{
    gateway::{GatewayClient, GatewayError, VoucherSigner, wire::BatchedGeneration},
    receipt::SignedReceipt,
};

/// Executes the effects of a payer's machine, in one task while there is something to do.
pub struct Driver {
    gateway: GatewayClient,
    address: Pubkey,
    signer: VoucherSigner,
    machine: Arc<Mutex<Machine>>,
    inbox: Mutex<Inbox>,
    /// Notified when a payment arrives.
    arrived: Notify,
    file: Arc<Mutex<Option<StateFile>>>,
    /// Cause for which the state file takes no more records.
    failure: Mutex<Option<GatewayError>>,
    /// Receipts of the last batch whose callers had stopped waiting.
    recovered: Mutex<Vec<SignedReceipt>>,
}

/// Course of a batch.
#[derive(Default)]
struct Flight {
    /// Number of payments that were answered.
    answered: usize,
    /// Number of payments that had arrived when it was answered.
    gathered: usize,
    /// Time from sending the request to its answer.
    round_trip: Duration,
}

/// Pauses between attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Part of a round trip for which the next batch waits for the callers of the last one.
const LINGER_PART: u32 = 8;
const LONGEST_LINGER: Duration = Duration::from_millis(10);
/// Shorter times are waited for by yielding: timers are not as fine.
const SHORTEST_LINGER: Duration = Duration::from_millis(1);
const YIELDS: u32 = 64;

impl Driver {
    pub fn new(
        gateway: GatewayClient,
        address: Pubkey,
        signer: VoucherSigner,
        machine: Machine,
        file: Option<StateFile>,
    ) -> Self {
        Self {
            gateway,
            address,
            signer,
            machine: Arc::new(Mutex::new(machine)),
            inbox: Mutex::default(),
            arrived: Notify::new(),
            file: Arc::new(Mutex::new(file)),
            failure: Mutex::default(),
            recovered: Mutex::default(),
        }
    }

    pub fn gateway(&self) -> &GatewayClient {
        &self.gateway
    }

    pub fn address(&self) -> Pubkey {
        self.address
    }

    pub fn signer(&self) -> &VoucherSigner {
        &self.signer
    }

    pub fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    #[cfg(test)]
    pub fn state_file(&self) -> MutexGuard<'_, Option<StateFile>> {
        lock(&self.file)
    }

    /// Returns and forgets the receipts whose callers had stopped waiting.
    pub fn take_recovered(&self) -> Vec<SignedReceipt> {
        std::mem::take(&mut *lock(&self.recovered))
    }

    /// Pays with the next batch, and waits for the result.
    pub async fn pay(
        self: &Arc<Self>,
        generations: Vec<BatchedGeneration>,
        tag: Option<String>,
    ) -> Result<Paid, GatewayError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let payment = Payment { ticket: 0, generations, tag };
        let (result, is_new) = {
            let mut inbox = lock(&self.inbox);
            (inbox.add(payment), inbox.begin_driving())
        };
        self.start(is_new);
        // The task has ended early with its runtime.
        result.await.unwrap_or(Err(GatewayError::Unanswered))
    }

    /// Repeats an unanswered batch, and sends what the machine has queued, until nothing is left.
    pub async fn settle_doubts(self: &Arc<Self>) -> Result<(), GatewayError> {
        let (settled, is_new) = {
            let mut inbox = lock(&self.inbox);
            (inbox.add_doubtful(), inbox.begin_driving())
        };
        self.start(is_new);
        settled.await.unwrap_or(Err(GatewayError::Unanswered))
    }

    fn start(self: &Arc<Self>, is_new: bool) {
        if is_new {
            tokio::spawn(Driving { driver: self.clone(), has_ended: false }.run());
        } else {
            self.arrived.notify_one();
        }
    }

    /// Changes the state and saves the change durably.
    pub async fn change_state(
        &self,
        change: impl FnOnce(&mut Machine) -> Vec<Effect>,
    ) -> Result<(), GatewayError> {
        let effects = change(&mut self.machine());
        for (frame, is_urgent) in frames(effects) {
            self.save(frame, is_urgent).await?;
        }
        Ok(())
    }

    /// Replaces the state file by a snapshot, which is taken within the file's lock: what was appended
    /// before is in it.
    pub async fn rewrite_state(&self) -> Result<(), GatewayError> {
        let machine = self.machine.clone();
        self.with_file(move |file| {
            let snapshot = lock(&machine).snapshot();
            file.rewrite(&snapshot)
        })
        .await
    }

    async fn save(&self, frame: Vec<u8>, is_urgent: bool) -> Result<(), GatewayError> {
        if !is_urgent {
            // Kept in memory until the next urgent one, or the end of the task.
            return lock(&self.file).as_mut().map_or(Ok(()), |file| file.append(&frame, false));
        }
        self.with_file(move |file| file.append(&frame, true)).await
    }

    /// Uses the state file, if there is one, on a thread for blocking calls. After an error, it is not used
    /// any more, and nothing is signed or sent.
    async fn with_file(
        &self,
        work: impl FnOnce(&mut StateFile) -> Result<(), GatewayError> + Send + 'static,
    ) -> Result<(), GatewayError> {
        let file = self.file.clone();
        if lock(&file).is_none() {
            return Ok(());
        }
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let work = move || lock(&file).as_mut().map_or(Ok(()), work);
        let done = tokio::task::spawn_blocking(work).await;
        // The runtime is shutting down.
        let done = done.unwrap_or(Err(GatewayError::Unanswered));
        if let Err(failure) = &done {
            lock(&self.failure).get_or_insert_with(|| failure.clone());
        }
        done
    }

    fn failure(&self) -> Option<GatewayError> {
        lock(&self.failure).clone()
    }
}

/// Task that drives the machine. Its early end, with its runtime, is noted on drop.
struct Driving {
    driver: Arc<Driver>,
    has_ended: bool,
}

impl Drop for Driving {
    fn drop(&mut self) {
        if !self.has_ended {
            lock(&self.driver.inbox).abandon();
        }
    }
}

impl Driving {
    async fn run(mut self) {
        while !self.has_ended {
            match self.driver.step().await {
                Ok(Some(flight)) => {
                    if !self.driver.machine().has_doubts() {
                        lock(&self.driver.inbox).reply_doubtful(&Ok(()));
                    }
                    self.driver.linger(&flight).await;
                    continue;
                }
                Ok(None) => lock(&self.driver.inbox).reply_doubtful(&Ok(())),
                Err(error) => self.driver.fail_waiting(&error),
            }
            // A failure is kept, and refuses what follows.
            drop(self.driver.with_file(StateFile::flush).await);
            self.has_ended = lock(&self.driver.inbox).end_driving();
        }
    }
}

impl Driver {
    /// Sends one batch; returns `None` if there is nothing to send.
    async fn step(&self) -> Result<Option<Flight>, GatewayError> {
        // What is unanswered may not be saved.
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let is_long = lock(&self.file).as_ref().is_some_and(StateFile::is_long);
        if is_long {
            self.rewrite_state().await?;
        }
        let arrived = lock(&self.inbox).take();
        let effects = {
            let mut machine = self.machine();
            arrived.into_iter().for_each(|payment| machine.pay(payment));
            match machine.resend() {
                Some(request) => {
                    // Sent before, by a task that has ended.
                    machine.lose_answer();
                    vec![Effect::Send(request)]
                }
                None => machine.next(now()),
            }
        };
        if effects.is_empty() {
            return Ok(None);
        }
        self.execute(effects).await.map(Some)
    }

    async fn execute(&self, effects: Vec<Effect>) -> Result<Flight, GatewayError> {
        let mut queue = VecDeque::from(effects);
        let mut flight = Flight::default();
        let mut recovered = Vec::new();
        while let Some(effect) = queue.pop_front() {
            let more = match effect {
                Effect::Sign(voucher) => match self.signer.sign(voucher) {
                    Ok(signed) => self.machine().signed(signed.signature),
                    Err(error) => {
                        let tickets = self.machine().withdraw();
                        self.refuse(tickets, &error.into());
                        Vec::new()
                    }
                },
                Effect::Save { frame, is_urgent } => {
                    if let Err(error) = self.save(frame, is_urgent).await {
                        // Nothing is sent that is not saved.
                        let tickets = self.machine().abandon();
                        self.refuse(tickets, &error);
                        return Err(error);
                    }
                    Vec::new()
                }
                Effect::Send(request) => {
                    let effects = self.send(&request, &mut flight).await?;
                    flight.gathered = lock(&self.inbox).arrived();
                    effects
                }
                Effect::Paid { ticket: Some(ticket), receipts, voucher } => {
                    flight.answered += 1;
                    lock(&self.inbox).reply(ticket, Ok(Paid { receipts, voucher }));
                    Vec::new()
                }
                Effect::Paid { ticket: None, receipts, .. } => {
                    recovered.extend(receipts);
                    Vec::new()
                }
                Effect::Failed { ticket, error } => {
                    flight.answered += 1;
                    lock(&self.inbox).reply(ticket, Err(error.into()));
                    Vec::new()
                }
                Effect::Compare => match self.gateway.channel(&self.address).await {
                    // The next refusal is reported to the callers.
                    Ok(state) => self.machine().compare(&state).unwrap_or_default(),
                    Err(_) => Vec::new(),
                },
            };
            for effect in more.into_iter().rev() {
                queue.push_front(effect);
            }
        }
        if !recovered.is_empty() {
            *lock(&self.recovered) = recovered;
        }
        Ok(flight)
    }

    /// Sends a batch until it is answered, as long as the client's patience lasts.
    ///
    /// # Errors
    /// That of the last attempt: the outcome is unknown, and the callers are told so.
    async fn send(
        &self,
        request: &Request,
        flight: &mut Flight,
    ) -> Result<Vec<Effect>, GatewayError> {
        let deadline = Instant::now() + self.gateway.patience_limit();
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            let is_last = begun >= deadline;
            match self.gateway.post_batch(&self.address, request).await {
                Ok(answer) if !is_last && is_transient(answer.status, &answer.body) => {}
                Ok(answer) => {
                    flight.round_trip = begun.elapsed();
                    let mut machine = self.machine();
                    return match machine.answered(answer.status, &answer.body, now()) {
                        Ok(effects) => Ok(effects),
                        Err(error) => {
                            let effects = machine.give_up(&error);
                            if !machine.is_unanswered() {
                                return Ok(effects);
                            }
                            drop(machine);
                            self.refuse_failed(effects);
                            Err(error.into())
                        }
                    };
                }
                Err(error) => {
                    self.machine().lose_answer();
                    if is_last {
                        let tickets = self.machine().abandon();
                        self.refuse(tickets, &error);
                        return Err(error);
                    }
                }
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Waits for the callers of the last batch, who often pay again at once: they join those that have
    /// gathered meanwhile, so that all share one round trip.
    async fn linger(&self, flight: &Flight) {
        let target = flight.gathered + flight.answered;
        let linger = LONGEST_LINGER.min(flight.round_trip / LINGER_PART);
        if linger < SHORTEST_LINGER {
            for _ in 0..YIELDS {
                if lock(&self.inbox).arrived() >= target {
                    return;
                }
                tokio::task::yield_now().await;
            }
            return;
        }
        let deadline = Instant::now() + linger;
        while lock(&self.inbox).arrived() < target {
            if timeout_at(deadline, self.arrived.notified()).await.is_err() {
                return;
            }
        }
    }

    /// Tells all who wait that an earlier batch is unanswered.
    fn fail_waiting(&self, error: &GatewayError) {
        let mut inbox = lock(&self.inbox);
        let arrived: Vec<_> = inbox.take();
        let mut machine = self.machine();
        arrived.into_iter().for_each(|payment| machine.pay(payment));
        let result = if self.failure().is_some() { error } else { &GatewayError::Unanswered };
        for ticket in machine.drop_waiting() {
            inbox.reply(ticket, Err(result.clone()));
        }
        inbox.reply_doubtful(&Err(error.clone()));
    }

    fn refuse(&self, tickets: Vec<u64>, error: &GatewayError) {
        let mut inbox = lock(&self.inbox);
        tickets.into_iter().for_each(|ticket| inbox.reply(ticket, Err(error.clone())));
    }

    fn refuse_failed(&self, effects: Vec<Effect>) {
        let mut inbox = lock(&self.inbox);
        for effect in effects {
            if let Effect::Failed { ticket, error } = effect {
                inbox.reply(ticket, Err(error.into()));
            }
        }
    }
}

impl From<PayerError> for GatewayError {
    fn from(error: PayerError) -> Self {
        match error {
            PayerError::Refused(problem) => Self::Refused(problem),
            PayerError::OutcomeUnknown(problem) => Self::OutcomeUnknown(problem),
            PayerError::Untrusted(what) => Self::Untrusted(what),
            PayerError::OverBudget { total, budget } => Self::OverBudget { total, budget },
            PayerError::PriceTooHigh { license, price, max } => {
                Self::PriceTooHigh { license, price, max }
            }
            PayerError::LicenseNotFound(license) => Self::LicenseNotFound(license),
            PayerError::LicenseRefuses { license, reason } => {
                Self::LicenseRefuses { license, reason }
            }
            PayerError::StatementFull(full) => Self::StatementFull(full),
            PayerError::Overflow => Self::Overflow,
        }
    }
}
