use std::collections::{BTreeMap, HashMap};

use motif_fingerprint::{Metric, Scheme};
use motif_interface::licensing::Fingerprint;

use super::files::{Half, in_parallel};

/// Something that is registered.
pub struct Known {
    /// What else is the same: works of one group are no strangers to each other.
    pub group: String,
    /// Where it is from, for those who look it up.
    pub name: String,
    pub fingerprint: Fingerprint,
    /// Works of other groups that are no strangers either, each with the share of itself that is in
    /// the other, in hundredths. Told without fingerprints.
    pub sharing: Vec<(usize, u32)>,
}

impl Known {
    /// How much of it is in that work, in hundredths; `None` for strangers.
    pub fn share(&self, other: usize) -> Option<u32> {
        self.sharing.iter().find(|(work, _)| *work == other).map(|(_, share)| *share)
    }
}

/// Something made from a work, that is asked about.
pub struct Asked {
    /// What sort of content the work is.
    pub kind: &'static str,
    pub transformation: &'static str,
    /// Whether it is a copy that fingerprints are to bear, and whether there is a goal for that.
    pub is_copy: bool,
    pub has_goal: bool,
    /// Which of the works it was made from.
    pub work: usize,
    pub probes: Vec<Fingerprint>,
}

/// What came of one question, asked among everything of its own half.
pub struct Outcome {
    pub half: Half,
    pub scheme: Scheme,
    /// From the work that it was made from.
    pub own: u32,
    /// The nearest strangers that are within twice their scheme's radius, or nearer.
    pub strangers: Vec<(Scheme, u32, usize)>,
    /// Those that it shares something with and that are within their scheme's radius.
    pub sharing: Vec<(u32, usize)>,
}

/// What is known of a half, by scheme, as numbers that are quickly compared.
struct Shelf {
    scheme: Scheme,
    entries: Vec<(usize, [u64; 4])>,
}

/// Compares everything that was asked about with every work of its half.
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

/// Strangers farther away than this are not listed.
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

/// As [`Scheme::distance`].
fn distance(scheme: Scheme, one: &[u64; 4], other: &[u64; 4]) -> u32 {
    let differing = one.iter().zip(other).map(|(one, other)| one ^ other);
    match scheme.metric() {
        Metric::Bits => differing.map(u64::count_ones).sum(),
        Metric::Parts => {
            const LOW: u64 = 0x7FFF_7FFF_7FFF_7FFF;
            // The highest bit of a part is set when any of its bits is.
            let parts = differing.map(|bits| ((((bits & LOW) + LOW) | bits) & !LOW).count_ones());
            parts.sum()
        }
    }
}
