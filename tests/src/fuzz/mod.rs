//! Random sequences of all instructions of both programs, by honest and hostile actors, on
//! bytecode and in the reference ledger.
//!
//! A run is episodes, each a fresh cluster with a small cast. An episode is steps: something
//! happens outside (time passes, a token account breaks, tokens arrive in a till), then a person
//! calls an instruction. Who calls, and with what, is drawn at random, so many calls break a
//! rule; some are older calls once more; one in six is sabotaged first, so that nothing of it may
//! be accepted. After every step the accounts it names must be what the ledger says, and every
//! promise must hold. Vouchers that an operator has acknowledged are settled in a simulation before
//! and after calls by other parties and the passing of time, with the same result. Every so often every party
//! of a copy of the episode is paid. All accounts are compared with the model
//! every so often and at the end.
//! In the end every party is paid; what is left is dust or belongs to parties that cannot be paid.

mod cast;
mod crowd_steps;
mod earnings_steps;
mod end;
mod episode;
mod escape_steps;
mod governing_steps;
mod licensing_steps;
mod payments_steps;
mod promises;
mod report;
mod sabotage;
mod step;

use cast::Cast;
use episode::Episode;
pub use report::{Break, Report};
use step::Step;

/// Instructions of one episode.
pub const EPISODE: u64 = 400;

/// Which run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Of the first episode; the next one has the next seed.
    pub seed: u64,
    /// How many instructions.
    pub instructions: u64,
    /// Stop each episode before this step, if before its end.
    pub until: Option<u64>,
}

impl Run {
    /// Plays it, on as many threads as there are cores; stops at the first break of an episode.
    pub fn play(&self) -> Report {
        let episodes = self.instructions.div_ceil(EPISODE);
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let next = std::sync::atomic::AtomicU64::new(0);
        let play = || {
            let mut report = Report::new(self.seed);
            loop {
                let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if number >= episodes {
                    return report;
                }
                let steps = EPISODE.min(self.instructions - number * EPISODE);
                self.episode(self.seed + number, steps, &mut report);
            }
        };
        std::thread::scope(|scope| {
            let players: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
            let mut whole = Report::new(self.seed);
            for player in players {
                match player.join() {
                    Ok(report) => whole.add(report),
                    Err(_) => whole.lost += 1,
                }
            }
            whole
        })
    }

    fn episode(&self, seed: u64, steps: u64, report: &mut Report) {
        let mut episode = Episode::new(seed);
        for step in 0..steps {
            if self.until.is_some_and(|until| step > until) {
                return;
            }
            if let Err(what) = episode.step(report) {
                report.breaks.push(Break { seed, step, what });
                return;
            }
        }
        if let Err(what) = episode.end(report) {
            report.breaks.push(Break { seed, step: steps, what });
        }
    }
}
