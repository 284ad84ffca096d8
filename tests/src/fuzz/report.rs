use std::collections::BTreeMap;

use serde::Serialize;

/// What a run came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Of the first episode.
    pub seed: u64,
    /// Instructions sent, as a program sees them: refused and sabotaged ones included.
    pub instructions: u64,
    /// Of those accepted.
    pub accepted: u64,
    /// By instruction: how often accepted, how often refused as the ledger said.
    pub by_instruction: BTreeMap<&'static str, Tally>,
    /// Older calls that were sent again.
    pub replayed: u64,
    /// Times a voucher that settled before a call of others settled after it.
    pub still_settleable: u64,
    /// Times every party of a copy was paid.
    pub live: u64,
    /// Calls that were sabotaged, by how.
    pub sabotaged: BTreeMap<&'static str, u64>,
    /// By error: its code and the program's name.
    pub refusals: BTreeMap<String, u64>,
    /// What happened between instructions.
    pub events: BTreeMap<&'static str, u64>,
    /// Episodes played to the end.
    pub episodes: u64,
    /// Threads that stopped for another reason than a break.
    pub lost: u64,
    /// Where a promise was broken, or bytecode and ledger disagreed.
    pub breaks: Vec<Break>,
}

/// How often.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Tally {
    /// Accepted.
    pub accepted: u64,
    /// Refused.
    pub refused: u64,
}

/// Something that must not happen.
#[derive(Clone, Debug, Serialize)]
pub struct Break {
    /// Of the episode: replay with `FUZZ_SEED`.
    pub seed: u64,
    /// In it: replay with `FUZZ_STEP`.
    pub step: u64,
    /// In words.
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
        let tally = self.by_instruction.entry(name).or_default();
        let count = if accepted { &mut tally.accepted } else { &mut tally.refused };
        *count += 1;
    }

    pub(super) fn add(&mut self, other: Self) {
        self.instructions += other.instructions;
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.still_settleable += other.still_settleable;
        self.live += other.live;
        self.episodes += other.episodes;
        self.lost += other.lost;
        for (name, tally) in other.by_instruction {
            let mine = self.by_instruction.entry(name).or_default();
            mine.accepted += tally.accepted;
            mine.refused += tally.refused;
        }
        merge(&mut self.sabotaged, other.sabotaged);
        merge(&mut self.refusals, other.refusals);
        merge(&mut self.events, other.events);
        self.breaks.extend(other.breaks);
    }

    /// Whether every promise held.
    pub fn clean(&self) -> bool {
        self.breaks.is_empty() && self.lost == 0
    }
}

fn merge<K: Ord>(mine: &mut BTreeMap<K, u64>, other: BTreeMap<K, u64>) {
    for (key, count) in other {
        *mine.entry(key).or_default() += count;
    }
}
