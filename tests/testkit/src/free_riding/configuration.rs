/// Behavior of payers and machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Number of concurrent payers of the same channels.
    pub payers: u32,
    /// Whether responses are dropped.
    pub drops: bool,
    /// How its gateway ends between phases.
    pub restarts: Restarts,
    /// Whether payers use batches and holds.
    pub mixed: bool,
    /// Whether a payer closes a channel midway.
    pub leaves_early: bool,
    /// Whether a work is withdrawn while its channel is idle.
    pub withdraws: bool,
}

/// End of the gateway between phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    /// It goes on.
    Never,
    /// By shutdown.
    Graceful,
    /// By a kill.
    Killed,
}

impl Configuration {
    /// Default of the largest number of concurrent payers.
    pub const MOST_PAYERS: u32 = 16;

    fn new(payers: u32, restarts: Restarts, switches: (bool, bool, bool, bool)) -> Self {
        let (drops, mixed, leaves_early, withdraws) = switches;
        Self { payers, drops, restarts, mixed, leaves_early, withdraws }
    }
}

/// Returns all 72 configurations, of up to `most_payers` concurrent payers.
pub fn configurations(most_payers: u32) -> Vec<Configuration> {
    let mut all = Vec::new();
    for payers in [1, 4, most_payers] {
        for restarts in [Restarts::Never, Restarts::Graceful, Restarts::Killed] {
            for switches in 0..8 {
                let is = |bit: u32| switches >> bit & 1 == 1;
                let (drops, mixed, leaves_early) = (is(0), is(1), is(2));
                // Each other choice is combined with both.
                let withdraws = drops ^ mixed ^ leaves_early;
                let switches = (drops, mixed, leaves_early, withdraws);
                all.push(Configuration::new(payers, restarts, switches));
            }
        }
    }
    all
}
