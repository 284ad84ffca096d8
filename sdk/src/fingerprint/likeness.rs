use super::Scheme;

/// How near two fingerprints are, and what that is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// How they were made.
    pub scheme: Scheme,
    /// How far apart they are, as the scheme counts it; its radius at most.
    pub distance: u32,
}

impl Likeness {
    /// Of how many the distance counts those that differ.
    pub fn of(&self) -> u32 {
        self.scheme.metric().most()
    }

    /// How many of a million pairs of unrelated pieces of content are as near as this: the upper
    /// end of a 95 % confidence interval, from the evaluation in `docs/figures/fingerprints.md`.
    ///
    /// It says nothing about content that somebody made to look alike: that can be as near as
    /// its maker likes.
    pub fn chance_ppm(&self) -> u32 {
        let known = match self.scheme {
            Scheme::None => return 1_000_000,
            Scheme::ImageGradient => &IMAGE_GRADIENT[..],
            Scheme::ImageFrequency => &IMAGE_FREQUENCY[..],
            Scheme::AudioChroma => &AUDIO_CHROMA[..],
            Scheme::TextShingles => &TEXT_SHINGLES[..],
        };
        let row = known.iter().find(|(up_to, _)| self.distance <= *up_to);
        row.map_or(1_000_000, |(_, chance_ppm)| *chance_ppm)
    }
}

/// Up to this distance, at most so many in a million. Written by `just evaluate-fingerprints`.
const IMAGE_GRADIENT: [(u32, u32); 1] = [(31, 100)];
const IMAGE_FREQUENCY: [(u32, u32); 1] = [(31, 100)];
const AUDIO_CHROMA: [(u32, u32); 1] = [(14, 1_000)];
const TEXT_SHINGLES: [(u32, u32); 1] = [(11, 1_000)];
