//! surfpool on threads of its own.
//!
//! Two of them: one runs surfpool's loop, which blocks the thread it is on; the other, the
//! [`BlockMaker`], empties surfpool's event channel (its lifecycle events block when nobody does)
//! and says when to make a block. surfpool's own two rhythms do not suit: on its clock each
//! transaction waits for the next tick, and in its transaction mode each transaction is followed by
//! empty blocks until it is final, which takes the clock on chain eight seconds ahead and ages
//! every blockhash by a fifth of its life.

use std::{
    convert::Infallible,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{
    BlockProductionMode, RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{BlockProduction, LocalnetConfig, LocalnetError, Program, ports::Ports};

/// Time from one block to the next when nothing happens.
pub const SLOT: Duration = Duration::from_millis(200);

/// What a block adds to the clock on chain by itself. The least there is, because blocks made for
/// transactions come on top of one per [`SLOT`], more than a thousand a second at times, and must
/// not carry the clock away.
const CLOCK_STEP_MILLISECONDS: u64 = 1;
/// surfpool's own clock makes no blocks here and has no end: it sleeps.
const NEVER_MILLISECONDS: u64 = 100 * 365 * 86_400 * 1_000;
/// JSON-RPC and websocket.
const SERVERS: usize = 2;

/// One surfpool network, running from [`Surfnet::spawn`] until dropped.
pub(crate) struct Surfnet {
    commands: Sender<SimnetCommand>,
    signals: UnboundedReceiver<Signal>,
    chain: Option<JoinHandle<()>>,
    /// Dropping it ends the block maker.
    _alive: Sender<Infallible>,
}

enum Signal {
    Ready,
    Failed(LocalnetError),
    ServerClosed,
    Ended,
}

impl Surfnet {
    /// Starts the threads and returns at once; see [`Surfnet::ready`].
    pub(crate) fn spawn(config: LocalnetConfig, ports: &Ports) -> Result<Self, LocalnetError> {
        let (commands, commands_in) = unbounded();
        let (signals_out, signals) = unbounded_channel();
        let (alive, dropped) = unbounded();
        let rpc = RpcConfig {
            bind_host: "127.0.0.1".to_string(),
            bind_port: ports.rpc,
            ws_port: ports.websocket,
            ..RpcConfig::default()
        };
        let loop_commands = commands.clone();
        let chain = thread::Builder::new()
            .name("localnet".to_string())
            .spawn(move || {
                let ended =
                    run(config, rpc, loop_commands, commands_in, dropped, signals_out.clone());
                let signal = ended.map_or_else(Signal::Failed, |()| Signal::Ended);
                // Nobody listens once the localnet was dropped.
                let _ = signals_out.send(signal);
            })
            .map_err(not_started)?;
        Ok(Self { commands, signals, chain: Some(chain), _alive: alive })
    }

    /// Waits until both servers listen and every program is loaded.
    pub(crate) async fn ready(&mut self) -> Result<(), LocalnetError> {
        match self.signals.recv().await {
            Some(Signal::Ready) => Ok(()),
            Some(Signal::Failed(error)) => Err(error),
            Some(Signal::ServerClosed | Signal::Ended) | None => {
                Err(not_started("it ended while starting"))
            }
        }
    }

    /// Ends it and waits until its sockets are closed and its thread is gone.
    pub(crate) async fn stop(mut self) -> Result<(), LocalnetError> {
        self.terminate();
        let (mut closed, mut ended) = (0, false);
        while closed < SERVERS || !ended {
            match self.signals.recv().await {
                Some(Signal::ServerClosed) => closed += 1,
                Some(Signal::Ended) => ended = true,
                Some(Signal::Failed(error)) => return Err(error),
                Some(Signal::Ready) => {}
                None => break,
            }
        }
        if let Some(chain) = self.chain.take() {
            // It has said its last word; what remains is taking down its runtime.
            let _ = tokio::task::spawn_blocking(move || chain.join()).await;
        }
        Ok(())
    }

    fn terminate(&self) {
        // Fails when the loop has ended already.
        let _ = self.commands.send(SimnetCommand::Terminate(None));
    }
}

impl Drop for Surfnet {
    fn drop(&mut self) {
        self.terminate();
    }
}

fn run(
    config: LocalnetConfig,
    rpc: RpcConfig,
    commands: Sender<SimnetCommand>,
    commands_in: Receiver<SimnetCommand>,
    dropped: Receiver<Infallible>,
    signals: UnboundedSender<Signal>,
) -> Result<(), LocalnetError> {
    // surfpool takes its lock with `block_in_place`, which a current-thread runtime does not have.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("localnet-worker")
        .enable_all()
        .build()
        .map_err(not_started)?;
    let ended = runtime.block_on(async {
        let (svm, events, plugin_events) = SurfnetSvm::new(SurfnetSvmConfig {
            slot_time: CLOCK_STEP_MILLISECONDS,
            instruction_profiling_enabled: false,
            ..SurfnetSvmConfig::default()
        })
        .map_err(not_started)?;
        let svm = SurfnetSvmLocker::new(svm);
        for program in &config.programs {
            load(&svm, &events, program).await?;
        }

        let blocks = BlockMaker {
            production: config.block_production,
            svm: svm.clone(),
            events,
            dropped,
            commands: commands.clone(),
            signals,
            started: false,
        };
        thread::Builder::new()
            .name("localnet-blocks".to_string())
            .spawn(move || blocks.run())
            .map_err(not_started)?;

        start_local_surfnet_runloop(svm, surfpool_config(rpc), commands, commands_in, plugin_events)
            .await
            .map_err(not_started)
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

fn surfpool_config(rpc: RpcConfig) -> SurfpoolConfig {
    let simnet = SimnetConfig {
        offline_mode: true,
        remote_rpc_url: None,
        slot_time: NEVER_MILLISECONDS,
        block_production_mode: BlockProductionMode::Manual,
        instruction_profiling_enabled: false,
        ..SimnetConfig::default()
    };
    SurfpoolConfig { simnets: vec![simnet], rpc, ..SurfpoolConfig::default() }
}

/// surfpool puts a program that does not load on chain all the same, and mentions it among its
/// events.
async fn load(
    svm: &SurfnetSvmLocker,
    events: &Receiver<SimnetEvent>,
    program: &Program,
) -> Result<(), LocalnetError> {
    let bad = |reason: String| LocalnetError::BadProgram { id: program.id, reason };
    svm.write_program(program.id, None, 0, &program.elf, &None)
        .await
        .map_err(|e| bad(e.to_string()))?;
    let complaint = events.try_iter().find_map(|event| match event {
        SimnetEvent::InfoLog(_, text) if text.starts_with("Program cache update deferred") => {
            Some(text)
        }
        _ => None,
    });
    complaint.map_or(Ok(()), |text| Err(bad(text)))
}

fn not_started(reason: impl ToString) -> LocalnetError {
    LocalnetError::NotStarted(reason.to_string())
}

/// Listens to surfpool and asks it for blocks.
struct BlockMaker {
    production: BlockProduction,
    svm: SurfnetSvmLocker,
    events: Receiver<SimnetEvent>,
    dropped: Receiver<Infallible>,
    commands: Sender<SimnetCommand>,
    signals: UnboundedSender<Signal>,
    started: bool,
}

impl BlockMaker {
    fn run(mut self) {
        let mut clock = ChainClock::at(self.svm.with_svm_reader(|svm| svm.updated_at));
        let mut next_block = Instant::now() + SLOT;
        loop {
            let wait = next_block.saturating_duration_since(Instant::now());
            select! {
                recv(self.dropped) -> _ => return,
                recv(self.events) -> event => match event {
                    Ok(event) => self.observe(event),
                    Err(_) => return,
                },
                default(wait) => {}
            }
            if Instant::now() >= next_block {
                // A loop that is behind gets no further blocks to make: they would only age
                // blockhashes.
                if self.started && self.commands.is_empty() {
                    self.svm.with_svm_writer(|svm| svm.updated_at = clock.keep_up(svm.updated_at));
                    self.make_block();
                }
                next_block = Instant::now() + SLOT;
            }
        }
    }

    fn observe(&mut self, event: SimnetEvent) {
        match event {
            SimnetEvent::CoreStarted(_) => {
                self.started = true;
                self.signal(Signal::Ready);
            }
            SimnetEvent::Shutdown => self.signal(Signal::ServerClosed),
            // The second is what an airdrop leaves, which surfpool does not count as a transaction.
            SimnetEvent::TransactionProcessed(..) | SimnetEvent::AccountUpdate(..) => {
                let is_due =
                    |svm: &SurfnetSvm| !svm.transactions_queued_for_confirmation.is_empty();
                if self.started
                    && self.production == BlockProduction::Transaction
                    && self.svm.with_svm_reader(is_due)
                {
                    self.make_block();
                }
            }
            SimnetEvent::Aborted(reason) => tracing::warn!(%reason, "localnet server gave up"),
            SimnetEvent::ErrorLog(_, text) | SimnetEvent::WarnLog(_, text) => {
                tracing::debug!("{text}")
            }
            _ => {}
        }
    }

    fn make_block(&self) {
        // Fails once the loop has ended; the next wait notices.
        let _ = self.commands.send(SimnetCommand::SlotForward(None));
    }

    fn signal(&self, signal: Signal) {
        // Nobody listens once the localnet was dropped.
        let _ = self.signals.send(signal);
    }
}

/// Keeps the clock on chain from falling behind the time that passes, wherever travels have taken
/// it.
struct ChainClock {
    chain_milliseconds: u64,
    seen_at: Instant,
}

impl ChainClock {
    fn at(chain_milliseconds: u64) -> Self {
        Self { chain_milliseconds, seen_at: Instant::now() }
    }

    /// What the clock should say now, given what it says: never less.
    fn keep_up(&mut self, chain_milliseconds: u64) -> u64 {
        let now = Instant::now();
        let passed = now.duration_since(self.seen_at).as_millis() as u64;
        self.chain_milliseconds = chain_milliseconds.max(self.chain_milliseconds + passed);
        self.seen_at = now;
        self.chain_milliseconds
    }
}
