/// What content is found by: as it is, and without its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256 of the content as it is.
    pub whole: [u8; 32],
    /// SHA-256 of the bare content; `None` where it carries no credentials.
    pub bare: Option<[u8; 32]>,
}

impl Digests {
    /// One or both, the whole content's first.
    pub fn iter(&self) -> impl Iterator<Item = [u8; 32]> {
        [Some(self.whole), self.bare].into_iter().flatten()
    }

    /// Whether this is the content's digest, with its credentials or without.
    pub fn contains(&self, digest: &[u8; 32]) -> bool {
        self.iter().any(|one| one == *digest)
    }
}
