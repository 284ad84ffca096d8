/// Digests of content, with and without its content credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256 of the content.
    pub whole: [u8; 32],
    /// SHA-256 of the content without its credentials; `None` if it carries none.
    pub bare: Option<[u8; 32]>,
}

impl Digests {
    /// Returns the digests, the whole content's first.
    pub fn iter(&self) -> impl Iterator<Item = [u8; 32]> {
        [Some(self.whole), self.bare].into_iter().flatten()
    }

    /// Whether `digest` is one of the digests.
    pub fn contains(&self, digest: &[u8; 32]) -> bool {
        self.iter().any(|one| one == *digest)
    }
}
