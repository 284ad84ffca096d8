use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use motif_interface::licensing::Fingerprint;
use solana_pubkey::Pubkey;

use super::{
    Registered,
    hamming_index::{HammingIndex, Pattern},
};
use crate::{Likeness, Scheme};

/// Index of registered works, searched by digest and, in bounded time, by fingerprint.
///
/// New works are in a tail that is searched linearly until [`Index::merge`].
#[derive(Clone, Debug, Default)]
pub struct Index {
    sorted: Arc<Sorted>,
    tail: Vec<Registered>,
    known: HashSet<Pubkey>,
}

/// Immutable part of an [`Index`].
#[derive(Debug, Default)]
struct Sorted {
    /// Earliest registration first.
    entries: Vec<Registered>,
    /// First 8 bytes of all digests, sorted, with their entries.
    digests: Vec<(u64, u32)>,
    indexes: Vec<HammingIndex>,
}

/// Result of [`Index::merge`].
#[derive(Debug)]
pub struct Merged {
    sorted: Sorted,
    /// Number of merged works of the tail.
    taken: usize,
}

/// Work with similar content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Work.
    pub registered: Registered,
    /// Distance.
    pub likeness: Likeness,
}

/// Matches of content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recognised {
    /// Works with exactly this content, earliest registration first.
    pub exact: Vec<Registered>,
    /// Other works with similar content, by distance, then registration.
    pub alike: Vec<Found>,
    /// Whether there may be more matches, registered later than those found.
    pub is_truncated: bool,
}

impl Recognised {
    /// Returns the addresses of all matches, exact ones first.
    pub fn works(&self) -> Vec<Pubkey> {
        let alike = self.alike.iter().map(|found| found.registered.work);
        self.exact.iter().map(|registered| registered.work).chain(alike).collect()
    }
}

impl Index {
    /// Maximum number of exact, and of similar, matches.
    pub const MAX_MATCHES: usize = 32;
    /// Maximum number of fingerprints in one search.
    pub const MAX_PROBES: usize = 64;
    /// Length of the tail from which a merge is due.
    const LONG_TAIL: usize = 2_048;

    /// Creates an index of works.
    pub fn new(entries: Vec<Registered>) -> Self {
        let known = entries.iter().map(|entry| entry.work).collect();
        Self { sorted: Arc::new(Sorted::new(entries)), tail: Vec::new(), known }
    }

    /// Adds a work; returns whether it is new. The indexed fields of a work never change.
    pub fn insert(&mut self, entry: Registered) -> bool {
        let is_new = self.known.insert(entry.work);
        if is_new {
            self.tail.push(entry);
        }
        is_new
    }

    /// Whether the index contains a work.
    pub fn knows(&self, work: &Pubkey) -> bool {
        self.known.contains(work)
    }

    /// Returns the number of works.
    pub fn len(&self) -> usize {
        self.sorted.entries.len() + self.tail.len()
    }

    /// Whether the index is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all works.
    pub fn entries(&self) -> impl Iterator<Item = &Registered> {
        self.sorted.entries.iter().chain(&self.tail)
    }

    /// Whether [`Index::merge`] is due.
    pub fn has_long_tail(&self) -> bool {
        self.tail.len() > Self::LONG_TAIL
    }

    /// Returns a function that sorts all works into a new index. It is slow and independent of this
    /// index, which can be used meanwhile.
    pub fn merge(&self) -> impl FnOnce() -> Merged + Send + use<> {
        let (sorted, tail) = (self.sorted.clone(), self.tail.clone());
        move || {
            let entries = sorted.entries.iter().chain(&tail).copied().collect();
            Merged { sorted: Sorted::new(entries), taken: tail.len() }
        }
    }

    /// Installs the result of [`Index::merge`], which was started on this index.
    pub fn take_over(&mut self, merged: Merged) {
        self.tail.drain(..merged.taken);
        self.sorted = Arc::new(merged.sorted);
    }

    /// Returns the works whose content digest is one of `digests`, and those that are similar to
    /// one of `probes`.
    ///
    /// Signed content has two digests: with its content credentials, and without.
    pub fn recognise(
        &self,
        digests: impl IntoIterator<Item = [u8; 32]>,
        probes: &[Fingerprint],
    ) -> Recognised {
        let (mut alike, mut is_truncated) = self.alike(probes);
        let mut exact = Vec::new();
        for digest in digests {
            let (same, more) = self.exact(&digest);
            alike.retain(|found| found.registered.content_digest != digest);
            exact.extend(same);
            is_truncated |= more;
        }
        exact.sort_by_key(|entry| (entry.registered_at, entry.work));
        is_truncated |= exact.len() > Self::MAX_MATCHES;
        exact.truncate(Self::MAX_MATCHES);
        Recognised { exact, alike, is_truncated }
    }

    /// Returns the number of patterns within the radius that the index finds, and the number that
    /// exist. For benchmarks.
    #[doc(hidden)]
    pub fn recall(&self, probe: &Fingerprint) -> (usize, usize) {
        let hamming_index =
            Scheme::from_number(probe.scheme).and_then(|scheme| self.sorted.hamming_index(scheme));
        let Some(hamming_index) = hamming_index else { return (0, 0) };
        let (mut found, mut there) = (HashMap::new(), HashMap::new());
        hamming_index.find(&probe.bits, &mut found);
        hamming_index.scan(&probe.bits, &mut there);
        let is_right = |(pattern, distance): &(&u32, &u32)| found.get(*pattern) == Some(*distance);
        (there.iter().filter(is_right).count(), there.len())
    }

    fn exact(&self, digest: &[u8; 32]) -> (Vec<Registered>, bool) {
        let is_it = |entry: &&Registered| entry.content_digest == *digest;
        let sorted = self.sorted.of_digest(digest);
        let all = sorted.chain(self.tail.iter()).filter(is_it).copied();
        let mut exact: Vec<_> = all.take(Self::MAX_MATCHES + 1).collect();
        exact.sort_by_key(|entry| (entry.registered_at, entry.work));
        let more = exact.len() > Self::MAX_MATCHES;
        exact.truncate(Self::MAX_MATCHES);
        (exact, more)
    }

    fn alike(&self, probes: &[Fingerprint]) -> (Vec<Found>, bool) {
        let mut nearest = HashMap::<Pubkey, Found>::new();
        let mut is_truncated = false;
        for probe in probes.iter().take(Self::MAX_PROBES) {
            let Some(scheme) = Scheme::from_number(probe.scheme) else { continue };
            is_truncated |= self.near(scheme, &probe.bits, &mut |found| {
                let known = nearest.entry(found.registered.work).or_insert(found);
                if found.likeness.distance < known.likeness.distance {
                    *known = found;
                }
            });
        }
        let mut alike: Vec<_> = nearest.into_values().collect();
        alike.sort_by_key(|found| {
            let Found { registered, likeness } = found;
            (likeness.distance, registered.registered_at, registered.work)
        });
        is_truncated |= alike.len() > Self::MAX_MATCHES;
        alike.truncate(Self::MAX_MATCHES);
        (alike, is_truncated)
    }

    /// Calls `name` with the works nearest to a fingerprint; returns whether there may be more.
    fn near(&self, scheme: Scheme, bits: &[u8; 32], name: &mut impl FnMut(Found)) -> bool {
        let mut is_truncated = false;
        if let Some(hamming_index) = self.sorted.hamming_index(scheme) {
            let mut near = HashMap::new();
            is_truncated = hamming_index.find(bits, &mut near);
            let mut near: Vec<_> = near.into_iter().collect();
            // Patterns are numbered by their earliest registration.
            near.sort_unstable_by_key(|(pattern, distance)| (*distance, *pattern));
            let mut left = Self::MAX_MATCHES;
            for (pattern, distance) in near {
                let entries = hamming_index.entries(pattern);
                is_truncated |= entries.len() > left;
                for entry in entries.iter().take(left) {
                    let registered = self.sorted.entries[*entry as usize];
                    name(Found { registered, likeness: Likeness { scheme, distance } });
                }
                left -= entries.len().min(left);
            }
        }
        let sought = Pattern::new(scheme, bits);
        for registered in &self.tail {
            if registered.fingerprint.scheme != scheme as u16 {
                continue;
            }
            let pattern = Pattern::new(scheme, &registered.fingerprint.bits);
            let distance = pattern.distance(&sought, scheme.metric());
            if distance <= scheme.radius() {
                let (registered, likeness) = (*registered, Likeness { scheme, distance });
                name(Found { registered, likeness });
            }
        }
        is_truncated
    }
}

impl Sorted {
    fn new(mut entries: Vec<Registered>) -> Self {
        entries.sort_unstable_by_key(|entry| (entry.registered_at, entry.work));
        let mut digests: Vec<_> = (0..)
            .zip(&entries)
            .map(|(place, entry)| (prefix(&entry.content_digest), place))
            .collect();
        digests.sort_unstable();
        let hamming_index = |scheme: Scheme| {
            let of_scheme =
                (0..).zip(&entries).filter(|(_, entry)| entry.fingerprint.scheme == scheme as u16);
            let all: Vec<_> =
                of_scheme.map(|(place, entry)| (place, entry.fingerprint.bits)).collect();
            (!all.is_empty()).then(|| HammingIndex::new(scheme, &all))
        };
        let indexes = Scheme::ALL.into_iter().filter_map(hamming_index).collect();
        Self { entries, digests, indexes }
    }

    fn hamming_index(&self, scheme: Scheme) -> Option<&HammingIndex> {
        self.indexes.iter().find(|hamming_index| hamming_index.scheme() == scheme)
    }

    /// Returns entries whose digest has the same prefix, earliest registration first.
    fn of_digest(&self, digest: &[u8; 32]) -> impl Iterator<Item = &Registered> {
        let prefix = prefix(digest);
        let first = self.digests.partition_point(|(other, _)| *other < prefix);
        let same = self.digests[first..].iter().take_while(move |(other, _)| *other == prefix);
        same.map(|(_, place)| &self.entries[*place as usize])
    }
}

fn prefix(digest: &[u8; 32]) -> u64 {
    digest[..8].iter().fold(0, |prefix, byte| prefix << 8 | u64::from(*byte))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
