use super::{Confidence, Scheme};

/// How near two fingerprints are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// How they were made.
    pub scheme: Scheme,
    /// How far apart they are, as the scheme counts it; its radius at most.
    pub distance: u32,
}

impl Likeness {
    /// Of how many the distance counts those that differ.
    pub fn of(&self) -> u32 {
        self.scheme.metric().most()
    }

    /// What that is worth; `None` for schemes that were not evaluated.
    pub fn confidence(&self) -> Option<Confidence> {
        Confidence::of(self)
    }
}
