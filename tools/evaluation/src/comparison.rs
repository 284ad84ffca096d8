use std::collections::{BTreeMap, HashMap};

use motif_fingerprint::{Metric, Scheme};
use motif_interface::licensing::Fingerprint;

use super::files::{Half, in_parallel};

/// Registered work.
pub struct Known {
    /// Group. Works of one group are related.
    pub group: String,
    /// Source.
    pub name: String,
    pub fingerprint: Fingerprint,
    /// Related works of other groups, each with its share of common content in percent, determined
    /// without fingerprints.
    pub sharing: Vec<(usize, u32)>,
}

impl Known {
    /// Returns the share of common content with a work, percent; `None` for unrelated works.
    pub fn share(&self, other: usize) -> Option<u32> {
        self.sharing.iter().find(|(work, _)| *work == other).map(|(_, share)| *share)
    }
}

/// Query with a transformed work.
pub struct Asked {
    /// Kind of content.
    pub kind: &'static str,
    pub transformation: &'static str,
    /// Whether fingerprints must tolerate the transformation, and whether a goal applies.
    pub is_copy: bool,
    pub has_goal: bool,
    /// Index of the original work.
    pub work: usize,
    pub probes: Vec<Fingerprint>,
}

/// Result of one query among all works of its half.
pub struct Outcome {
    pub half: Half,
    pub scheme: Scheme,
    /// Distance from the original work.
    pub own: u32,
    /// Nearest unrelated works within twice their scheme's radius.
    pub strangers: Vec<(Scheme, u32, usize)>,
    /// Related works within their scheme's radius.
    pub sharing: Vec<(u32, usize)>,
}

/// Fingerprints of a half by scheme, in a form that is fast to compare.
struct Shelf {
    scheme: Scheme,
    entries: Vec<(usize, [u64; 4])>,
}

/// Compares every query with every work of its half.
pub fn compare(known: &[Known], asked: &[Asked]) -> Vec<Outcome> {
    let mut groups = HashMap::new();
    let group_of: Vec<usize> = known
        .iter()
        .map(|work| {
            let next = groups.len();
            *groups.entry(&work.group).or_insert(next)
        })
        .collect();
    let shelves: BTreeMap<Half, Vec<Shelf>> =
        Half::ALL.into_iter().map(|half| (half, shelves(known, half))).collect();
    in_parallel(asked, |one| {
        let work = &known[one.work];
        let half = Half::from_group(&work.group);
        let scheme = Scheme::from_number(work.fingerprint.scheme).unwrap();
        let mut outcome =
            Outcome { half, scheme, own: u32::MAX, strangers: Vec::new(), sharing: Vec::new() };
        for shelf in &shelves[&half] {
            let probes: Vec<_> = one
                .probes
                .iter()
                .filter(|probe| probe.scheme == shelf.scheme as u16)
                .map(|probe| words(&probe.bits))
                .collect();
            for (place, bits) in &shelf.entries {
                let distances = probes.iter().map(|probe| distance(shelf.scheme, probe, bits));
                let Some(distance) = distances.min() else { continue };
                if *place == one.work {
                    outcome.own = distance;
                } else if work.share(*place).is_some() {
                    if distance <= shelf.scheme.radius() {
                        outcome.sharing.push((distance, *place));
                    }
                } else if group_of[*place] != group_of[one.work] && is_near(shelf.scheme, distance)
                {
                    outcome.strangers.push((shelf.scheme, distance, *place));
                }
            }
        }
        outcome
    })
}

/// Returns whether an unrelated work is near enough to be listed.
fn is_near(scheme: Scheme, distance: u32) -> bool {
    match scheme.metric() {
        Metric::Bits => distance <= 2 * scheme.radius(),
        Metric::Parts => distance < scheme.metric().max_distance(),
    }
}

fn shelves(known: &[Known], half: Half) -> Vec<Shelf> {
    let shelf = |scheme: Scheme| {
        let entries = known.iter().enumerate().filter(|(_, work)| {
            work.fingerprint.scheme == scheme as u16 && Half::from_group(&work.group) == half
        });
        let entries = entries.map(|(place, work)| (place, words(&work.fingerprint.bits)));
        Shelf { scheme, entries: entries.collect() }
    };
    Scheme::ALL.into_iter().map(shelf).collect()
}

fn words(bits: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bits.as_chunks::<8>();
    std::array::from_fn(|word| u64::from_le_bytes(words[word]))
}

/// Returns the distance, as [`Scheme::distance`].
fn distance(scheme: Scheme, one: &[u64; 4], other: &[u64; 4]) -> u32 {
    let differing = one.iter().zip(other).map(|(one, other)| one ^ other);
    match scheme.metric() {
        Metric::Bits => differing.map(u64::count_ones).sum(),
        Metric::Parts => {
            const LOW: u64 = 0x7FFF_7FFF_7FFF_7FFF;
            // The highest bit of a part is set if any of its bits is set.
            let parts = differing.map(|bits| ((((bits & LOW) + LOW) | bits) & !LOW).count_ones());
            parts.sum()
        }
    }
}
