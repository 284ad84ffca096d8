use proptest::{collection::vec, prelude::*};

use super::*;
use crate::Metric;

fn entry(number: u32, scheme: Scheme, bits: [u8; 32]) -> Registered {
    let mut address = [0; 32];
    address[..4].copy_from_slice(&number.to_be_bytes());
    Registered {
        work: Pubkey::new_from_array(address),
        registered_at: i64::from(number),
        content_digest: address,
        fingerprint: Fingerprint { scheme: scheme as u16, bits },
    }
}

fn bits(seed: u64) -> [u8; 32] {
    let mut state = seed;
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}

fn probe(scheme: Scheme, bits: [u8; 32]) -> [Fingerprint; 1] {
    [Fingerprint { scheme: scheme as u16, bits }]
}

const NO_DIGEST: [u8; 32] = [0xEE; 32];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Covers every scheme, number and place of differing bits.
    #[test]
    fn matches_are_those_within_radius(
        scheme in prop::sample::select(&Scheme::ALL[..]),
        seed in any::<u64>(),
        changes in vec((0_usize..256, 0_usize..16), 0..64),
    ) {
        let original = bits(seed);
        let mut changed = original;
        for (bit, _) in &changes {
            changed[bit / 8] ^= 1 << (bit % 8);
        }
        let strangers = (1..50).map(|number| entry(number, scheme, bits(seed ^ u64::from(number))));
        let index = Index::new(strangers.chain([entry(99, scheme, original)]).collect());
        let recognised = index.recognise([NO_DIGEST], &probe(scheme, changed));
        let distance = scheme.distance(&original, &changed);
        let named = recognised.alike.iter().find(|found| found.registered.registered_at == 99);
        prop_assert_eq!(named.map(|found| found.likeness.distance),
            (distance <= scheme.radius()).then_some(distance));
        prop_assert!(!recognised.is_truncated);
    }
}

#[test]
fn pattern_distance_equals_bit_distance() {
    for scheme in Scheme::ALL {
        for seed in 0..200 {
            let (one, mut other) = (bits(seed), bits(seed));
            for byte in &mut other[..seed as usize % 33] {
                *byte = byte.rotate_left(1);
            }
            let patterns = [Pattern::new(scheme, &one), Pattern::new(scheme, &other)];
            let distance = patterns[0].distance(&patterns[1], scheme.metric());
            assert_eq!(distance, scheme.distance(&one, &other), "{scheme:?}");
        }
    }
    assert_eq!(Scheme::ImageFrequency.metric(), Metric::Bits);
}

#[test]
fn exact_matches_order_by_registration() {
    let scheme = Scheme::TextShingles;
    let later = Registered { content_digest: [5; 32], ..entry(9, scheme, bits(1)) };
    let first = Registered { content_digest: [5; 32], ..entry(3, scheme, bits(1)) };
    let mut index = Index::new(vec![later, entry(4, scheme, bits(1))]);
    assert!(index.insert(first), "earlier registration, later indexed");
    assert!(!index.insert(first), "known");
    let recognised = index.recognise([[5; 32]], &probe(scheme, bits(1)));
    assert_eq!(recognised.exact, [first, later]);
    let alike: Vec<_> = recognised.alike.iter().map(|f| f.registered.registered_at).collect();
    assert_eq!(alike, [4]);
}

#[test]
fn tail_is_merged_while_it_grows() {
    let scheme = Scheme::ImageFrequency;
    let mut index = Index::default();
    for number in 0..3_000 {
        index.insert(entry(number, scheme, bits(u64::from(number))));
    }
    assert!(index.has_long_tail());
    let merged = index.merge();
    index.insert(entry(3_000, scheme, bits(3_000)));
    index.take_over(merged());
    assert!(!index.has_long_tail());
    assert_eq!(index.len(), 3_001);
    for number in [0, 2_999, 3_000] {
        let found = index.recognise([NO_DIGEST], &probe(scheme, bits(number))).alike;
        assert_eq!((found.len(), found[0].likeness.distance), (1, 0), "{number}");
    }
}

/// Threat G18: a crowd of equal fingerprints, and one of nearly equal ones.
#[test]
fn crowd_does_not_hide_earlier_work() {
    let scheme = Scheme::ImageFrequency;
    let victim = entry(1, scheme, bits(7));
    let equal = (2..100_002).map(|number| entry(number, scheme, bits(7)));
    // Each differs in two bits of its last bytes, so most parts equal the victim's.
    let nearly = (100_002..110_002_u32).map(|number| {
        let mut bits = bits(7);
        bits[30] ^= number as u8;
        bits[31] ^= (number >> 8) as u8;
        entry(number, scheme, bits)
    });
    let index = Index::new([victim].into_iter().chain(equal).chain(nearly).collect());
    let patterns = index.sorted.hamming_index(scheme).unwrap();
    assert!(patterns.patterns() <= 10_001, "equal fingerprints are one pattern");
    let mut near = HashMap::new();
    assert!(patterns.find(&bits(7), &mut near), "the result is marked as truncated");
    // 16 parts, each with 16 neighbors, and 256 read from each bucket.
    assert!(near.len() <= 16 * 17 * 256);
    let recognised = index.recognise([NO_DIGEST], &probe(scheme, bits(7)));
    assert!(recognised.is_truncated);
    assert_eq!(recognised.alike.len(), Index::MAX_MATCHES);
    assert_eq!(recognised.alike[0].registered, victim, "the first registration is named first");
}
