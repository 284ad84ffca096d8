//! Lineage of works: ancestors and descendants, and their shares of earnings.

use std::collections::{BTreeMap, BTreeSet};

use crate::bps::WHOLE_BPS;
use crate::licensing::{Parent, Work, WorkKind, WorkStatus};
use solana_pubkey::Pubkey;

/// 100 % in parts per billion.
pub const WHOLE_PPB: u32 = 1_000_000_000;

/// Fixed-point one. Products of shares are exact over four generations, and off by less than one
/// part per billion over any realistic number.
const WHOLE: u128 = 1_000_000_000_000_000_000;

/// Ancestors and descendants of a work, to any depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The work itself, with a share of 100 %.
    pub work: Relative,
    /// Ancestors, nearest first.
    pub ancestors: Vec<Relative>,
    /// Descendants, nearest first.
    pub descendants: Vec<Relative>,
}

/// Work in a lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    /// Address of the work.
    pub address: Pubkey,
    /// Kind of content.
    pub kind: WorkKind,
    /// Status.
    pub status: WorkStatus,
    /// Length of the shortest path to the work: 1 for parents and children.
    pub distance: u32,
    /// For an ancestor, its share of the work's earnings; for a descendant, the work's share of its
    /// earnings. Sum over all paths, parts per billion, rounded to the nearest. Before the
    /// ancestor's own parents take their shares.
    pub share_ppb: u32,
    /// Parents, with their shares of its earnings.
    pub parents: Vec<Parent>,
}

/// Fraction of the earnings that reaches a work, and its distance.
#[derive(Clone, Copy, Default)]
struct Reached {
    fraction: u128,
    distance: u32,
}

impl Lineage {
    /// Finds a work's relatives among `works`; returns `None` if it is not one of them. Missing
    /// works, and works reached only through them, are left out. Parents are registered before
    /// their children, so cycles in a node's answer are not followed.
    pub fn from_works(address: &Pubkey, works: &[(Pubkey, Work)]) -> Option<Self> {
        let by_address: BTreeMap<_, _> =
            works.iter().map(|(address, work)| (*address, work)).collect();
        let mut children: BTreeMap<Pubkey, Vec<(Pubkey, u16)>> = BTreeMap::new();
        for (child, work) in works {
            for parent in &work.parents {
                children.entry(parent.work).or_default().push((*child, parent.share_bps));
            }
        }
        let up = |address: &Pubkey| match by_address.get(address) {
            Some(work) => {
                work.parents.iter().map(|parent| (parent.work, parent.share_bps)).collect()
            }
            None => Vec::new(),
        };
        let down = |address: &Pubkey| children.get(address).cloned().unwrap_or_default();

        let relative = |address: Pubkey, reached: Reached| {
            let work = by_address.get(&address)?;
            Some(Relative {
                address,
                kind: work.kind,
                status: work.status,
                distance: reached.distance,
                share_ppb: parts_per_billion(reached.fraction),
                parents: work.parents.clone(),
            })
        };
        let relatives = |reached: BTreeMap<Pubkey, Reached>| {
            let others = reached.into_iter().filter(|(other, _)| other != address);
            let mut relatives: Vec<_> =
                others.filter_map(|(other, reached)| relative(other, reached)).collect();
            relatives.sort_by_key(|relative| (relative.distance, relative.address));
            relatives
        };
        let whole = Reached { fraction: WHOLE, distance: 0 };
        Some(Self {
            work: relative(*address, whole)?,
            ancestors: relatives(spread(address, up)),
            descendants: relatives(spread(address, down)),
        })
    }
}

/// Returns the fraction of `start` that reaches each work along `next`. Multiplication is
/// commutative, so this works in both directions.
fn spread(
    start: &Pubkey,
    next: impl Fn(&Pubkey) -> Vec<(Pubkey, u16)>,
) -> BTreeMap<Pubkey, Reached> {
    let order = sources_first(start, &next);
    let places: BTreeMap<_, _> =
        (0_usize..).zip(&order).map(|(place, work)| (*work, place)).collect();
    let mut reached = BTreeMap::from([(*start, Reached { fraction: WHOLE, distance: 0 })]);
    for (place, work) in order.iter().enumerate() {
        let Reached { fraction, distance } = reached.get(work).copied().unwrap_or_default();
        for (to, share_bps) in next(work) {
            if places.get(&to).is_none_or(|to| *to <= place) {
                continue; // closes a circle
            }
            // Saturates, because a malicious node could return shares above 100 %.
            let part = fraction.saturating_mul(u128::from(share_bps)) / u128::from(WHOLE_BPS);
            let further = Reached { fraction: 0, distance: distance + 1 };
            let known = reached.entry(to).or_insert(further);
            known.fraction = known.fraction.saturating_add(part);
            known.distance = known.distance.min(distance + 1);
        }
    }
    reached
}

/// Returns the works reachable from `start` in topological order. Iterative, because a long lineage
/// could exhaust the thread's stack.
fn sources_first(start: &Pubkey, next: &impl Fn(&Pubkey) -> Vec<(Pubkey, u16)>) -> Vec<Pubkey> {
    let mut seen = BTreeSet::from([*start]);
    let mut open = vec![(*start, next(start))];
    let mut order = Vec::new();
    while let Some((work, ahead)) = open.last_mut() {
        if let Some((to, _)) = ahead.pop() {
            if seen.insert(to) {
                open.push((to, next(&to)));
            }
        } else {
            order.push(*work);
            open.pop();
        }
    }
    order.reverse();
    order
}

fn parts_per_billion(fraction: u128) -> u32 {
    let step = WHOLE / u128::from(WHOLE_PPB);
    u32::try_from(fraction.saturating_add(step / 2) / step).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use crate::licensing::{Fingerprint, Inherited, Share};

    use super::*;

    fn key(number: u16) -> Pubkey {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        Pubkey::new_from_array(bytes)
    }

    fn work(number: u16, parents: &[(u16, u16)]) -> (Pubkey, Work) {
        let parent = |(work, share_bps): &(u16, u16)| Parent {
            work: key(*work),
            share_bps: *share_bps,
            terms_number: 0,
        };
        let work = Work {
            version: Work::VERSION,
            bump: 255,
            kind: WorkKind::Image,
            status: WorkStatus::Active,
            latest_terms: 0,
            split_version: 0,
            verdict_version: 0,
            disputes: 0,
            verdict_dispute: 0,
            verdict_terms: 0,
            verdict_keeps_recipients: false,
            withdrawn_at: i64::MAX,
            registered_at: 0,
            creator: key(0),
            owner: key(0),
            content_digest: [1; 32],
            fingerprint: Fingerprint { scheme: 0, bits: [0; 32] },
            metadata_digest: [0; 32],
            consent: None,
            certificate: None,
            pending_owner: None,
            inherited: Inherited::default(),
            model: None,
            title: String::new(),
            metadata_uri: String::new(),
            parents: parents.iter().map(parent).collect(),
            split: vec![Share { recipient: key(0), share_bps: 10_000 }],
        };
        (key(number), work)
    }

    fn shown(relatives: &[Relative]) -> Vec<(Pubkey, u32, u32)> {
        relatives.iter().map(|one| (one.address, one.distance, one.share_ppb)).collect()
    }

    #[test]
    fn shares_multiply_and_add_over_paths() {
        // 4 derives from 2 and 3, which derive from 1, which derives from 0; 2 derives from 0 as
        // well.
        let works = [
            work(0, &[]),
            work(1, &[(0, 5_000)]),
            work(2, &[(1, 2_000), (0, 1_000)]),
            work(3, &[(1, 4_000)]),
            work(4, &[(2, 5_000), (3, 2_500)]),
        ];
        let last = Lineage::from_works(&key(4), &works).unwrap();
        let one = 100_000_000 + 100_000_000; // half of 20%, a quarter of 40%
        let expected = [
            (key(2), 1, 500_000_000),
            (key(3), 1, 250_000_000),
            (key(0), 2, one / 2 + 50_000_000),
            (key(1), 2, one),
        ];
        assert_eq!(shown(&last.ancestors), expected);
        assert_eq!((last.work.share_ppb, last.descendants.len()), (WHOLE_PPB, 0));

        let first = Lineage::from_works(&key(0), &works).unwrap();
        let reaching: Vec<_> = first.descendants.iter().map(|one| one.share_ppb).collect();
        assert_eq!(reaching, [500_000_000, 200_000_000, 200_000_000, 150_000_000]);
        assert_eq!(first.ancestors, []);
    }

    #[test]
    fn share_is_the_same_in_both_directions() {
        let works = [work(0, &[]), work(1, &[(0, 3_333)]), work(2, &[(1, 777), (0, 1)])];
        let up = Lineage::from_works(&key(2), &works).unwrap();
        let down = Lineage::from_works(&key(0), &works).unwrap();
        let of = |relatives: &[Relative], number| {
            relatives.iter().find(|one| one.address == key(number)).unwrap().share_ppb
        };
        assert_eq!(of(&up.ancestors, 0), of(&down.descendants, 2));
    }

    #[test]
    fn lineage_cycle_is_not_followed() {
        let works = [work(0, &[(2, 5_000)]), work(1, &[(0, 5_000)]), work(2, &[(1, 5_000)])];
        for number in 0..3 {
            let lineage = Lineage::from_works(&key(number), &works).unwrap();
            assert_eq!((lineage.ancestors.len(), lineage.descendants.len()), (2, 2));
        }
        let own_parent = [work(0, &[(0, 10_000)])];
        let lineage = Lineage::from_works(&key(0), &own_parent).unwrap();
        assert_eq!((lineage.ancestors, lineage.descendants), (Vec::new(), Vec::new()));
    }

    #[test]
    fn long_lineage_does_not_exhaust_stack() {
        let line: Vec<_> = (0..5_000)
            .map(|number| match number {
                0 => work(0, &[]),
                _ => work(number, &[(number - 1, 9_000)]),
            })
            .collect();
        let last = Lineage::from_works(&key(4_999), &line).unwrap();
        assert_eq!(last.ancestors.len(), 4_999);
        assert_eq!(last.ancestors[0].share_ppb, 900_000_000);
        let root = last.ancestors.last().unwrap();
        assert_eq!((root.address, root.distance, root.share_ppb), (key(0), 4_999, 0));
    }

    #[test]
    fn missing_work_ends_lineage() {
        let works = [work(0, &[]), work(2, &[(1, 5_000)])];
        assert_eq!(Lineage::from_works(&key(1), &works), None);
        assert_eq!(Lineage::from_works(&key(2), &works).unwrap().ancestors, []);
    }
}
