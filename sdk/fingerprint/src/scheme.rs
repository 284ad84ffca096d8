use motif_interface::licensing::Fingerprint;

/// Fingerprint scheme: how the bits of a [`Fingerprint`] are made and compared. Append only: works
/// on chain refer to the numbers.
///
/// | number | content | bits | compared by | alike up to |
/// |---|---|---|---|---|
/// | 1 | image | horizontal gradients of a 17 x 16 thumbnail | bits that differ | 31 of 256 |
/// | 2 | image | the 16 x 16 lowest frequencies of a 32 x 32 thumbnail, against their median | bits that differ | 23 of 256 |
/// | 3 | audio | 16 minima over chromaprint's sub-fingerprints | parts that differ | 13 of 16 |
/// | 4 | text | 16 minima over shingles of 13 characters | parts that differ | 10 of 16 |
/// | 5 | image | 16 blocks of the inner nine tenths, of each its 16 lowest waves or their reverse | bits that differ | 31 of 256 |
/// | 6 | audio | 16 minima over chromaprint's sub-fingerprints, more of each | parts that differ | 14 of 16 |
/// | 7 | text | 16 minima over shingles of about three words, by graphemes | parts that differ | 10 of 16 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// No fingerprint.
    None = 0,
    /// Gradient hash (dHash, N. Krawetz, 2013), 256 bits. Legacy: no longer registered.
    ImageGradient = 1,
    /// Perceptual hash by a discrete cosine transform (pHash; C. Zauner, 2010), 256 bits. For
    /// images with large plain surfaces.
    ImageFrequency = 2,
    /// MinHash (A. Broder, 1997) of chromaprint's sub-fingerprints (L. Lalinsky, 2011), with the 16
    /// lowest bits of each minimum (P. Li and A. König, 2010). Legacy: no longer registered.
    AudioChroma = 3,
    /// MinHash of shingles of normalized text.
    TextShingles = 4,
    /// Signs of the lowest frequencies of sixteen blocks, 256 bits. For images without large plain
    /// surfaces.
    ImageBlocks = 5,
    /// As [`Scheme::AudioChroma`] with more bits of each sub-fingerprint: unrelated recordings
    /// share fewer, so the radius is larger and shorter excerpts are found.
    AudioSounds = 6,
    /// As [`Scheme::TextShingles`], with a length of shingle for each script. For texts in scripts with fewer
    /// signs a word than the alphabets: Han, kana, Hangul, Thai, Devanagari, Arabic and others.
    TextGraphemes = 7,
}

/// Unit of the distance of two fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Differing bits, of 256.
    Bits,
    /// Differing 16-bit parts, of 16.
    Parts,
}

impl Scheme {
    /// All schemes with fingerprints.
    pub const ALL: [Self; 7] = [
        Self::ImageGradient,
        Self::ImageFrequency,
        Self::AudioChroma,
        Self::TextShingles,
        Self::ImageBlocks,
        Self::AudioSounds,
        Self::TextGraphemes,
    ];

    /// Returns the scheme with this number; `None` if this version does not know it.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| *scheme as u16 == number)
    }

    /// Returns the unit of its distances.
    pub const fn metric(self) -> Metric {
        match self {
            Self::None | Self::ImageGradient | Self::ImageFrequency | Self::ImageBlocks => {
                Metric::Bits
            }
            Self::AudioChroma | Self::TextShingles | Self::AudioSounds | Self::TextGraphemes => {
                Metric::Parts
            }
        }
    }

    /// Returns the maximum distance of similar content. The index searches exhaustively up to 31
    /// bits. The others come from the tuning half of the evaluation
    /// (`docs/figures/fingerprints.md`): beyond 23 bits [`Scheme::ImageFrequency`] gains more
    /// unrelated images than copies; beyond 13 parts [`Scheme::AudioChroma`], and beyond 14
    /// [`Scheme::AudioSounds`], match unrelated recordings; within 10 [`Scheme::TextShingles`]
    /// finds every copy.
    pub const fn radius(self) -> u32 {
        match self {
            Self::None => 0,
            Self::ImageGradient => 31,
            Self::ImageFrequency => 23,
            Self::AudioChroma => 13,
            Self::TextShingles => 10,
            Self::ImageBlocks => 31,
            Self::AudioSounds => 14,
            Self::TextGraphemes => 10,
        }
    }

    /// Returns what a work with such a fingerprint is found after, in words.
    pub const fn worth(self) -> &'static str {
        match self {
            Self::None => "found by its exact bytes only",
            Self::ImageGradient | Self::ImageFrequency => {
                "found after recoding and resizing; pictures with plain surfaces can resemble each other"
            }
            Self::ImageBlocks => {
                "found after recoding, resizing, watermarks and crops to 95 % of a side"
            }
            Self::AudioChroma | Self::AudioSounds => {
                "found after recoding, and from excerpts of half a minute or more"
            }
            Self::TextShingles | Self::TextGraphemes => {
                "found after changes of case, spaces and punctuation, and of one word in twenty"
            }
        }
    }

    /// Returns the distance of two fingerprints of this scheme.
    pub fn distance(self, one: &[u8; 32], other: &[u8; 32]) -> u32 {
        match self.metric() {
            Metric::Bits => one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum(),
            Metric::Parts => {
                let parts = one.chunks_exact(2).zip(other.chunks_exact(2));
                parts.map(|(a, b)| u32::from(a != b)).sum()
            }
        }
    }
}

impl Metric {
    /// Returns the maximum distance.
    pub const fn max_distance(self) -> u32 {
        match self {
            Self::Bits => 256,
            Self::Parts => 16,
        }
    }
}

/// Returns the distance of two fingerprints; `None` if their schemes differ, are unknown or are
/// none.
pub fn distance(one: &Fingerprint, other: &Fingerprint) -> Option<u32> {
    let scheme = Scheme::from_number(one.scheme).filter(|_| one.scheme == other.scheme)?;
    Some(scheme.distance(&one.bits, &other.bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_schemes_have_no_distance() {
        let of = |scheme| Fingerprint { scheme, bits: [7; 32] };
        assert_eq!(distance(&of(2), &of(2)), Some(0));
        for (one, other) in [(1, 2), (0, 0), (9, 9)] {
            assert_eq!(distance(&of(one), &of(other)), None, "{one} and {other}");
        }
    }

    #[test]
    fn differing_part_counts_once() {
        let mut other = [0; 32];
        other[4..6].copy_from_slice(&[0xFF, 0xFF]);
        other[31] = 1;
        assert_eq!(Scheme::TextShingles.distance(&[0; 32], &other), 2);
        assert_eq!(Scheme::ImageFrequency.distance(&[0; 32], &other), 17);
    }

    #[test]
    fn scheme_numbers_round_trip() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::from_number(scheme as u16), Some(scheme));
            assert!(scheme.radius() < scheme.metric().max_distance());
        }
        assert_eq!(Scheme::from_number(0), None);
    }
}
