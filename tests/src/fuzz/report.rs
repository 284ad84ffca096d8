use std::collections::BTreeMap;

use litesvm::types::FailedTransactionMetadata;
use serde::Serialize;

use crate::world::Code;

/// Result of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Seed of the first episode.
    pub seed: u64,
    /// Number of instructions sent, including rejected and sabotaged ones.
    pub instructions: u64,
    /// Number of accepted instructions.
    pub accepted: u64,
    /// Number of accepted and of expected rejected calls, by instruction.
    pub by_instruction: BTreeMap<&'static str, Tally>,
    /// Number of accepted and of rejected moves of attacks, by attack.
    pub attacks: BTreeMap<&'static str, Tally>,
    /// Number of replayed calls.
    pub replayed: u64,
    /// Number of checks that an acknowledged voucher settles after another party's call.
    pub still_settleable: u64,
    /// Number of times every party of a copy was paid.
    pub live: u64,
    /// Number of sabotaged calls, by kind.
    pub sabotaged: BTreeMap<&'static str, u64>,
    /// Number of rejections, by error code and program.
    pub refusals: BTreeMap<String, u64>,
    /// Number of events, by kind.
    pub events: BTreeMap<&'static str, u64>,
    /// Number of finished episodes.
    pub episodes: u64,
    /// Number of threads that panicked.
    pub lost: u64,
    /// Broken promises, and differences between bytecode and model.
    pub breaks: Vec<Break>,
}

/// Counts of one instruction.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Tally {
    /// Accepted.
    pub accepted: u64,
    /// Rejected.
    pub refused: u64,
}

impl Tally {
    fn count(&mut self, accepted: bool) {
        let count = if accepted { &mut self.accepted } else { &mut self.refused };
        *count += 1;
    }
}

/// Broken promise, or difference from the model.
#[derive(Clone, Debug, Serialize)]
pub struct Break {
    /// Seed of the episode; replay with `FUZZ_SEED`.
    pub seed: u64,
    /// Step in the episode; replay with `FUZZ_STEP`.
    pub step: u64,
    /// Description.
    pub what: String,
}

impl Report {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub(super) fn event(&mut self, name: &'static str) {
        *self.events.entry(name).or_default() += 1;
    }

    pub(super) fn count(&mut self, name: &'static str, accepted: bool) {
        self.instructions += 1;
        self.accepted += u64::from(accepted);
        self.by_instruction.entry(name).or_default().count(accepted);
    }

    pub(super) fn count_attack(&mut self, attack: Option<&'static str>, accepted: bool) {
        if let Some(attack) = attack {
            self.attacks.entry(attack).or_default().count(accepted);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.instructions += other.instructions;
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.still_settleable += other.still_settleable;
        self.live += other.live;
        self.episodes += other.episodes;
        self.lost += other.lost;
        add_tallies(&mut self.by_instruction, other.by_instruction);
        add_tallies(&mut self.attacks, other.attacks);
        merge(&mut self.sabotaged, other.sabotaged);
        merge(&mut self.refusals, other.refusals);
        merge(&mut self.events, other.events);
        self.breaks.extend(other.breaks);
    }

    /// Returns whether every promise held.
    pub fn clean(&self) -> bool {
        self.breaks.is_empty() && self.lost == 0
    }
}

fn add_tallies(mine: &mut BTreeMap<&'static str, Tally>, other: BTreeMap<&'static str, Tally>) {
    for (name, Tally { accepted, refused }) in other {
        let tally = mine.entry(name).or_default();
        tally.accepted += accepted;
        tally.refused += refused;
    }
}

fn merge<K: Ord>(mine: &mut BTreeMap<K, u64>, other: BTreeMap<K, u64>) {
    for (key, count) in other {
        *mine.entry(key).or_default() += count;
    }
}

/// Returns the key under which a rejection is counted.
pub(super) fn reason(failed: &FailedTransactionMetadata) -> String {
    let words = failed.meta.logs.iter().find_map(|line| {
        let (_, name) = line.split_once("Error Code: ")?;
        name.split_once('.').map(|(name, _)| name.to_owned())
    });
    match (Code::of(failed), words) {
        (Some(code), Some(name)) => format!("{} {name}", code.number()),
        (Some(code), None) => format!("{} of a token or system program", code.number()),
        (None, _) => format!("{:?}", failed.err),
    }
}
