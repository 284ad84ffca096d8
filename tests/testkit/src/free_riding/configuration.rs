/// What payers and the machine do while a gateway serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// How many pay from the same channels at once.
    pub payers: u32,
    /// Whether answers are lost on the way.
    pub drops: bool,
    /// How its gateway ends between phases.
    pub restarts: Restarts,
    /// Whether there are batches and holds, too.
    pub mixed: bool,
    /// Whether a payer leaves in the middle.
    pub leaves_early: bool,
    /// Whether a work is withdrawn while its channel is idle.
    pub withdraws: bool,
}

/// How gateways end between phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    /// It goes on.
    Never,
    /// As they are told to.
    Graceful,
    /// By leaving their files as they are.
    Killed,
}

impl Configuration {
    fn new(payers: u32, restarts: Restarts, switches: (bool, bool, bool, bool)) -> Self {
        let (drops, mixed, leaves_early, withdraws) = switches;
        Self { payers, drops, restarts, mixed, leaves_early, withdraws }
    }
}

/// All of them: 72.
pub fn configurations() -> Vec<Configuration> {
    let mut all = Vec::new();
    for payers in [1, 4, 16] {
        for restarts in [Restarts::Never, Restarts::Graceful, Restarts::Killed] {
            for switches in 0..8 {
                let is = |bit: u32| switches >> bit & 1 == 1;
                let (drops, mixed, leaves_early) = (is(0), is(1), is(2));
                // Each of the others is played with it and without.
                let withdraws = drops ^ mixed ^ leaves_early;
                let switches = (drops, mixed, leaves_early, withdraws);
                all.push(Configuration::new(payers, restarts, switches));
            }
        }
    }
    all
}
