use super::{Likeness, Scheme};

/// Measured error rates of a likeness, from the evaluation in `docs/figures/fingerprints.md` on
/// photographs, drawings, music and texts. It contains no content that was crafted to be similar: a
/// likeness proves nothing against an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confidence {
    /// Number of 1,000 changed copies at this distance or nearer.
    pub copies_per_mille: u16,
    /// Upper bound on the number of 1,000,000,000 unrelated works at this distance or nearer, at 95
    /// % confidence.
    pub strangers_per_billion: u32,
}

impl Likeness {
    /// Returns the measured error rates; `None` for schemes that were not evaluated.
    pub fn confidence(&self) -> Option<Confidence> {
        Confidence::from_likeness(self)
    }
}

impl Confidence {
    /// Returns the error rates of a likeness; `None` for schemes that are no longer registered and
    /// were not evaluated.
    pub fn from_likeness(likeness: &Likeness) -> Option<Self> {
        let of_scheme = MEASURED.iter().filter(|(scheme, ..)| *scheme == likeness.scheme);
        let mut farther = of_scheme.skip_while(|(_, distance, ..)| *distance < likeness.distance);
        let (_, _, copies_per_mille, strangers_per_billion) = *farther.next()?;
        Some(Self { copies_per_mille, strangers_per_billion })
    }

    /// Returns the expected maximum number of unrelated works at this distance among `works`.
    pub fn coincidences(&self, works: u64) -> f64 {
        works as f64 * f64::from(self.strangers_per_billion) / 1e9
    }
}

/// Tables of `docs/figures/fingerprints.md` and, of scheme 7, `docs/figures/scripts.md`: scheme, distance, and rates up to that distance.
const MEASURED: &[(Scheme, u32, u16, u32)] = &[
    (Scheme::ImageFrequency, 7, 687, 20_226),
    (Scheme::ImageFrequency, 15, 803, 30_709),
    (Scheme::ImageFrequency, 23, 852, 46_313),
    (Scheme::ImageBlocks, 7, 747, 1_844),
    (Scheme::ImageBlocks, 15, 930, 3_558),
    (Scheme::ImageBlocks, 23, 990, 8_034),
    (Scheme::ImageBlocks, 31, 995, 29_772),
    (Scheme::TextShingles, 0, 802, 1_469),
    (Scheme::TextShingles, 1, 812, 1_469),
    (Scheme::TextShingles, 2, 833, 1_469),
    (Scheme::TextShingles, 3, 868, 1_469),
    (Scheme::TextShingles, 4, 906, 1_469),
    (Scheme::TextShingles, 5, 943, 1_469),
    (Scheme::TextShingles, 6, 970, 1_469),
    (Scheme::TextShingles, 7, 984, 1_469),
    (Scheme::TextShingles, 8, 994, 1_469),
    (Scheme::TextShingles, 9, 998, 1_469),
    (Scheme::TextShingles, 10, 999, 1_469),
    (Scheme::AudioSounds, 0, 28, 494_020),
    (Scheme::AudioSounds, 1, 79, 494_020),
    (Scheme::AudioSounds, 2, 151, 494_020),
    (Scheme::AudioSounds, 3, 253, 494_020),
    (Scheme::AudioSounds, 4, 357, 494_020),
    (Scheme::AudioSounds, 5, 500, 494_020),
    (Scheme::AudioSounds, 6, 613, 494_020),
    (Scheme::AudioSounds, 7, 699, 494_020),
    (Scheme::AudioSounds, 8, 775, 494_020),
    (Scheme::AudioSounds, 9, 860, 494_020),
    (Scheme::AudioSounds, 10, 946, 494_020),
    (Scheme::AudioSounds, 11, 981, 494_020),
    (Scheme::AudioSounds, 12, 996, 494_020),
    (Scheme::AudioSounds, 13, 1000, 494_020),
    (Scheme::AudioSounds, 14, 1000, 494_020),
    (Scheme::AudioChroma, 0, 56, 494_020),
    (Scheme::AudioChroma, 1, 98, 494_020),
    (Scheme::AudioChroma, 2, 186, 494_020),
    (Scheme::AudioChroma, 3, 278, 494_020),
    (Scheme::AudioChroma, 4, 417, 494_020),
    (Scheme::AudioChroma, 5, 528, 494_020),
    (Scheme::AudioChroma, 6, 626, 494_020),
    (Scheme::AudioChroma, 7, 721, 494_020),
    (Scheme::AudioChroma, 8, 816, 494_020),
    (Scheme::AudioChroma, 9, 905, 494_020),
    (Scheme::AudioChroma, 10, 952, 494_020),
    (Scheme::AudioChroma, 11, 981, 494_020),
    (Scheme::AudioChroma, 12, 987, 494_020),
    (Scheme::AudioChroma, 13, 996, 494_020),
    (Scheme::TextGraphemes, 0, 753, 181_159),
    (Scheme::TextGraphemes, 1, 770, 181_159),
    (Scheme::TextGraphemes, 2, 799, 181_159),
    (Scheme::TextGraphemes, 3, 859, 181_159),
    (Scheme::TextGraphemes, 4, 903, 181_159),
    (Scheme::TextGraphemes, 5, 943, 181_159),
    (Scheme::TextGraphemes, 6, 975, 181_159),
    (Scheme::TextGraphemes, 7, 989, 181_159),
    (Scheme::TextGraphemes, 8, 996, 181_159),
    (Scheme::TextGraphemes, 9, 999, 181_159),
    (Scheme::TextGraphemes, 10, 999, 181_159),
];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/figures/fingerprints.md");
    const SCRIPTS: &str = include_str!("../../../docs/figures/scripts.md");

    #[test]
    fn table_matches_published_figures() {
        let rows = [PAGE, SCRIPTS].into_iter().flat_map(|page| {
            let (_, table) = page.split_once("## What a distance").unwrap();
            let rows = table.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
            rows.take_while(|line| line.starts_with('|'))
        });
        let rows: Vec<Vec<u32>> = rows
            .map(|line| line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect())
            .collect();
        let here: Vec<Vec<u32>> = MEASURED
            .iter()
            .map(|(scheme, distance, copies, strangers)| {
                vec![*scheme as u32, *distance, u32::from(*copies), *strangers]
            })
            .collect();
        assert_eq!(here, rows, "the page was measured anew: write its table here");
    }

    #[test]
    fn confidence_rises_with_likeness() {
        for scheme in Scheme::ALL.into_iter().filter(|scheme| *scheme != Scheme::ImageGradient) {
            let confidence =
                |distance| Confidence::from_likeness(&Likeness { scheme, distance }).unwrap();
            for distance in 1..=scheme.radius() {
                let (near, far) = (confidence(distance - 1), confidence(distance));
                assert!(near.strangers_per_billion <= far.strangers_per_billion, "{scheme:?}");
                assert!(near.copies_per_mille <= far.copies_per_mille, "{scheme:?}");
            }
        }
        let old = Likeness { scheme: Scheme::ImageGradient, distance: 0 };
        assert_eq!(Confidence::from_likeness(&old), None);
    }

    #[test]
    fn chance_matches_grow_with_works() {
        let confidence = Confidence { copies_per_mille: 900, strangers_per_billion: 200 };
        assert_eq!(confidence.coincidences(0), 0.0);
        assert!((confidence.coincidences(10_000_000) - 2.0).abs() < 1e-9);
    }
}
