//! Random sequences of all instructions of both programs, by honest and hostile actors, on
//! bytecode and in the reference model.
//!
//! A run consists of episodes, each on a new cluster with a few people. An episode consists of
//! steps: possibly an event (time passes, a token account becomes unusable, tokens arrive in a
//! till), then an instruction. Caller and arguments are random, so many calls break a rule. Some
//! calls are replays of older ones, some are moves of a known attack. One in six is sabotaged and must
//! be rejected. After every step the accounts in the call must equal the model, and every promise
//! must hold. Acknowledged vouchers are settled in a simulation before and after calls by other
//! parties and events, with the same result. Periodically every party of a copy of the episode is
//! paid. All accounts are compared with the model periodically and at the end. At the end every
//! party is paid; the rest is dust, or belongs to parties that cannot be paid.

mod attack_steps;
mod cast;
mod crowd_steps;
mod earnings_steps;
mod end;
mod episode;
mod escape_steps;
mod governing_steps;
mod known;
mod licensing_steps;
mod metadata_steps;
mod operator_steps;
mod payments_steps;
mod promises;
mod report;
mod sabotage;
mod settle_steps;
mod step;
mod till_steps;

use cast::Cast;
use episode::Episode;
use known::Known;
pub use report::{Break, Report};
use step::Step;

/// Instructions of one episode.
pub const EPISODE: u64 = 400;

/// Parameters of a run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Seed of the first episode; each further one has the next seed.
    pub seed: u64,
    /// Number of instructions.
    pub instructions: u64,
    /// Step before which each episode stops.
    pub until: Option<u64>,
}

impl Run {
    /// Plays the run on all cores; stops an episode at its first broken promise.
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
