use super::Carrier;
use crate::{
    fingerprint::content_digest,
    licensing::Fingerprint,
    recognition::{Index, Recognised},
};

/// What content is found by: as it is, and without its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256 of the content as it is.
    pub whole: [u8; 32],
    /// SHA-256 of the bare content; `None` where it carries no credentials.
    pub bare: Option<[u8; 32]>,
}

impl Digests {
    /// Of content.
    pub fn of(content: &[u8]) -> Self {
        let bare = Carrier::of(content).and_then(|carrier| carrier.bare(content));
        let bare = bare.map(|bare| content_digest(&bare));
        Self { whole: content_digest(content), bare }
    }

    /// One or both, the whole content's first.
    pub fn iter(&self) -> impl Iterator<Item = [u8; 32]> {
        [Some(self.whole), self.bare].into_iter().flatten()
    }

    /// Whether this is the content's digest, with its credentials or without.
    pub fn contains(&self, digest: &[u8; 32]) -> bool {
        self.iter().any(|one| one == *digest)
    }

    /// Which works are exactly this, signed or not, and which are like it.
    pub fn recognise(&self, index: &Index, probes: &[Fingerprint]) -> Recognised {
        let mut recognised = index.recognise(&self.whole, probes);
        let Some(bare) = self.bare else { return recognised };
        let more = index.recognise(&bare, &[]);
        recognised.alike.retain(|found| found.registered.content_digest != bare);
        recognised.exact.extend(more.exact);
        recognised.exact.sort_by_key(|entry| (entry.registered_at, entry.work));
        recognised.is_truncated |= more.is_truncated || recognised.exact.len() > Index::MAX_MATCHES;
        recognised.exact.truncate(Index::MAX_MATCHES);
        recognised
    }
}
