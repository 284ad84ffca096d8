use super::Scheme;

/// Distance of two fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// Scheme of both fingerprints.
    pub scheme: Scheme,
    /// Distance, at most the scheme's radius.
    pub distance: u32,
}

impl Likeness {
    /// Returns the scheme's maximum distance.
    pub fn max_distance(&self) -> u32 {
        self.scheme.metric().max_distance()
    }
}
