/// What payers and the machine do while a gateway serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// How many pay from the same channels at once.
    pub payers: u32,
    /// Whether answers are lost on the way.
    pub drops: bool,
    pub restarts: Restarts,
    /// Whether there are batches and holds, too.
    pub mixed: bool,
    /// Whether a payer leaves in the middle.
    pub leaves_early: bool,
}

/// How gateways end between phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    Never,
    /// As they are told to.
    Graceful,
    /// By leaving their files as they are.
    Killed,
}

/// All of them: 72.
pub fn configurations() -> Vec<Configuration> {
    let mut all = Vec::new();
    for payers in [1, 4, 16] {
        for restarts in [Restarts::Never, Restarts::Graceful, Restarts::Killed] {
            for switches in 0..8 {
                let is = |bit: u32| switches >> bit & 1 == 1;
                let (drops, mixed, leaves_early) = (is(0), is(1), is(2));
                all.push(Configuration { payers, drops, restarts, mixed, leaves_early });
            }
        }
    }
    all
}
