use std::collections::VecDeque;

use motif_interface::licensing::Fingerprint;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Scheme,
    charset::{decode, is_control},
    minhash::{MinHash, mixed},
};

/// Length of a shingle, letters. Short shingles are common to all texts of a language; long ones
/// change with every edited word.
const SHINGLE: u32 = 13;
/// Minimum number of shingles of a fingerprint.
const MIN_SHINGLES: u64 = 32;
/// The same for scripts with fewer signs a word, in which they are as many words.
const MIN_DENSE_SHINGLES: u64 = 16;
/// A text is fingerprinted by graphemes if it has at least one sign of such a script in this many.
const DENSE_ONE_IN: u64 = 4;
/// It is also searched by graphemes if it has one in this many, as a text that was registered may have had
/// more.
const PROBED_ONE_IN: u64 = 16;
/// Weight of a shingle of graphemes: divisible by the length of every script's shingle.
const SHINGLE_WEIGHT: u32 = 10_920;
pub(super) const MAX_TEXT_BYTES: usize = 16 * 1_024 * 1_024;

/// Errors of text fingerprinting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Error returned when content is not UTF-8, UTF-16 or UTF-32, or has control characters.
    #[error("content is no text in UTF-8, UTF-16 or UTF-32")]
    NotText,
    /// Error returned when a text exceeds the maximum size.
    #[error("text of {0} bytes is too long to compare: at most {MAX_TEXT_BYTES} are allowed")]
    TooLong(usize),
}

/// Fingerprinted text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FingerprintedText {
    /// Fingerprint under [`Scheme::TextGraphemes`] for texts in scripts with fewer signs a word than the
    /// alphabets, such as Chinese, and else under [`Scheme::TextShingles`]; `None` if the text is too short.
    pub fingerprint: Option<Fingerprint>,
    /// Fingerprints to search for this text, under both schemes.
    pub probes: Vec<Fingerprint>,
}

/// Fingerprints text; returns `None` if it is too short.
///
/// UTF-8, UTF-16 and UTF-32 are read, with or without a byte order mark: the same text has the same
/// fingerprint in each.
///
/// # Errors
/// [`TextError`].
pub fn read_text(bytes: &[u8]) -> Result<Option<Fingerprint>, TextError> {
    if bytes.len() > MAX_TEXT_BYTES {
        return Err(TextError::TooLong(bytes.len()));
    }
    let text = decode(bytes).ok_or(TextError::NotText)?;
    Ok(fingerprint_text(&text)?.fingerprint)
}

/// Fingerprints text. It is normalized (NFKC) and lowercased, and reduced to letters and digits.
///
/// # Errors
/// [`TextError::NotText`] if it has control characters; [`TextError::TooLong`].
pub fn fingerprint_text(text: &str) -> Result<FingerprintedText, TextError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(TextError::TooLong(text.len()));
    }
    if text.contains(is_control) {
        return Err(TextError::NotText);
    }
    let text: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let (mut letters, mut graphemes) = (Shingles::default(), Shingles::default());
    let (mut dense, mut all) = (0_u64, 0_u64);
    // By letters, a shingle has thirteen.
    let letter_weight = SHINGLE_WEIGHT / SHINGLE;
    for letter in text.chars().filter(|c| c.is_alphanumeric()) {
        letters.add(u64::from(letter), letter_weight);
    }
    for grapheme in text.graphemes(true) {
        let Some((unit, shingle)) = unit(grapheme) else { continue };
        all += 1;
        dense += u64::from(shingle != SHINGLE);
        graphemes.add(unit, SHINGLE_WEIGHT / shingle);
    }
    let letters = letters.fingerprint(Scheme::TextShingles, MIN_SHINGLES);
    let graphemes = graphemes.fingerprint(Scheme::TextGraphemes, MIN_DENSE_SHINGLES);
    let by_graphemes = graphemes.filter(|_| dense * DENSE_ONE_IN >= all);
    let probed = graphemes.filter(|_| dense * PROBED_ONE_IN >= all);
    Ok(FingerprintedText {
        fingerprint: by_graphemes.or(letters),
        probes: probed.into_iter().chain(letters).collect(),
    })
}

/// Returns a grapheme's letters and digits as a number, and the length of a shingle in its script; `None`
/// if it has none.
fn unit(grapheme: &str) -> Option<(u64, u32)> {
    let mut letters = grapheme.chars().filter(|c| c.is_alphanumeric() && !is_optional(*c));
    let first = letters.next()?;
    let unit = letters.fold(u64::from(first), |unit, letter| mixed(unit) ^ u64::from(letter));
    Some((unit, shingle(first)))
}

/// Returns the length of a shingle in the script of a letter, graphemes: about three words.
fn shingle(letter: char) -> u32 {
    match letter {
        // Han: a word has one or two.
        '\u{2E80}'..='\u{2FDF}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3400}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' => 4,
        // Kana and Bopomofo.
        '\u{3031}'..='\u{312F}' | '\u{31A0}'..='\u{31FF}' => 6,
        // Hangul, of syllables.
        '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{AC00}'..='\u{D7FF}' => 7,
        // Devanagari to Sinhala: a consonant and its vowel.
        '\u{0900}'..='\u{0DFF}' => 7,
        // Thai, Lao, Tibetan, Burmese, Khmer.
        '\u{0E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' => 8,
        // Ethiopic, of syllables.
        '\u{1200}'..='\u{139F}' => 8,
        // Hebrew, Arabic, Syriac, Thaana: without most vowels.
        '\u{0590}'..='\u{08FF}' => 10,
        _ => SHINGLE,
    }
}

/// Whether a letter is left out by some writers: the points of Hebrew and Arabic, and the stretching of
/// lines.
fn is_optional(letter: char) -> bool {
    matches!(
        letter,
        '\u{0591}'..='\u{05C7}'
            | '\u{0610}'..='\u{061A}'
            | '\u{0640}'
            | '\u{064B}'..='\u{065F}'
            | '\u{0670}'
            | '\u{06D6}'..='\u{06ED}'
    )
}

/// Minima over the shingles of a sequence of units.
struct Shingles {
    minima: MinHash,
    count: u64,
    /// Shortest run that ends with the last unit and has the weight of a shingle.
    run: VecDeque<(u64, u32)>,
    weight: u32,
}

impl Default for Shingles {
    fn default() -> Self {
        Self { minima: MinHash::new(), count: 0, run: VecDeque::new(), weight: 0 }
    }
}

impl Shingles {
    fn add(&mut self, unit: u64, weight: u32) {
        self.run.push_back((unit, weight));
        self.weight += weight;
        while let Some((_, first)) = self.run.front()
            && self.weight - first >= SHINGLE_WEIGHT
        {
            self.weight -= first;
            self.run.pop_front();
        }
        if self.weight >= SHINGLE_WEIGHT {
            self.count += 1;
            self.minima.add(self.run.iter().fold(0, |hash, (unit, _)| mixed(hash ^ unit)));
        }
    }

    /// Returns the fingerprint; `None` if there are fewer than `min` shingles.
    fn fingerprint(&self, scheme: Scheme, min: u64) -> Option<Fingerprint> {
        let fingerprint = Fingerprint { scheme: scheme as u16, bits: self.minima.bits() };
        (self.count >= min).then_some(fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance;

    const POEM: &str = "The gateway meters every generation, keeps each voucher before it \
        answers, and settles what was vouched for in one transaction; whoever made the work is \
        paid to the unit, and whoever made what it was made from is paid as well. Nothing that \
        was acknowledged is lost, and nothing that was settled can be settled again.";

    fn fingerprint(text: &str) -> Fingerprint {
        read_text(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn text_normalization_is_ignored() {
        let plain = fingerprint(POEM);
        let shouted = POEM.to_uppercase().replace(' ', "\r\n\t ").replace([',', ';', '.'], " - ");
        let full_width: String =
            POEM.chars().map(|c| if c == 'a' { '\u{FF41}' } else { c }).collect();
        assert_eq!(distance(&plain, &fingerprint(&shouted)), Some(0));
        assert_eq!(distance(&plain, &fingerprint(&full_width)), Some(0));
    }

    #[test]
    fn encoding_is_ignored() {
        let marked = format!("\u{FEFF}{POEM}");
        let utf16: Vec<_> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let found = read_text(&utf16).unwrap().unwrap();
        assert_eq!(distance(&fingerprint(POEM), &found), Some(0));
        assert_eq!(distance(&fingerprint(POEM), &fingerprint(&marked)), Some(0));
    }

    #[test]
    fn edited_text_is_found() {
        let words: Vec<_> = POEM.split(' ').collect();
        let changed = words.iter().enumerate().map(|(place, word)| match place % 20 {
            7 => "something",
            _ => word,
        });
        let changed = changed.collect::<Vec<_>>().join(" ");
        let radius = Scheme::TextShingles.radius();
        assert!(distance(&fingerprint(POEM), &fingerprint(&changed)).unwrap() <= radius);
        let other = "A work is found at an address made of its creator and its content, so \
            nobody can squat a digest; the same digest under two creators is a conflict.";
        assert!(distance(&fingerprint(POEM), &fingerprint(other)).unwrap() > radius);
    }

    #[test]
    fn scheme_four_is_stable() {
        let bits = hex(&fingerprint(POEM).bits);
        assert_eq!(bits, GOLDEN_LETTERS);
    }

    #[test]
    fn scheme_seven_is_stable() {
        for (text, expected) in [(CHINESE, GOLDEN_CHINESE), (HINDI, GOLDEN_HINDI)] {
            let found = fingerprint(text);
            assert_eq!((found.scheme, &*hex(&found.bits)), (7, expected), "{text}");
        }
    }

    const GOLDEN_LETTERS: &str = "b6337e2fbb48ce0e663cf187b181d32320ce41a67a2634ac9a7ac6f4a20f46b1";
    const GOLDEN_CHINESE: &str = "6f03f0882a0645b59e6b4c5d872abf2ead21ac0f9d2200053a4ee2e5db00d98c";
    const GOLDEN_HINDI: &str = "08bbbfb18eba36708118d92bfafdb914721871058419549c714bf25d363b6e8d";
    const CHINESE: &str = "床前明月光，疑是地上霜。举头望明月，低头思故乡。";
    const HINDI: &str = "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।";

    fn hex(bits: &[u8]) -> String {
        bits.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns words of a vocabulary, each with the length of words in a script.
    fn words(
        script: std::ops::Range<u32>,
        lengths: std::ops::Range<u64>,
        seed: u64,
    ) -> Vec<String> {
        let random = |at: u64, below: u64| mixed(mixed(seed) ^ at) % below;
        let word = |number: u64| {
            let length = lengths.start + random(number, lengths.end - lengths.start);
            let size = u64::from(script.end - script.start);
            let letter = |at| script.start + random(1_000 + number * 16 + at, size) as u32;
            (0..length).filter_map(|at| char::from_u32(letter(at))).collect::<String>()
        };
        (0..500).map(|place| word(100_000 + random(500_000 + place, 300))).collect()
    }

    #[test]
    fn each_script_is_found_like_english() {
        for (name, script, lengths, space) in [
            ("Latin", 0x61..0x7B, 2..8, " "),
            ("Greek", 0x3B1..0x3CA, 2..9, " "),
            ("Arabic", 0x627..0x63B, 2..7, " "),
            ("Hindi", 0x905..0x93A, 1..5, " "),
            ("Thai", 0xE01..0xE2F, 2..5, ""),
            ("Chinese", 0x4E00..0x9000, 1..3, ""),
            ("kana", 0x3041..0x3097, 1..5, ""),
            ("Hangul", 0xAC00..0xD000, 1..5, " "),
        ] {
            let mut found = 0;
            for seed in 0..20 {
                let words = words(script.clone(), lengths.clone(), seed);
                let mut changed = words.clone();
                for place in (5..words.len()).step_by(10) {
                    changed[place].clone_from(&words[(place * 7 + 3) % words.len()]);
                }
                let other = super::tests::words(script.clone(), lengths.clone(), 1_000 + seed);
                let [text, changed, other] = [words, changed, other].map(|words| words.join(space));
                let registered = fingerprint(&text);
                let radius = Scheme::from_number(registered.scheme).unwrap().radius();
                let is_found = |text: &str| {
                    let probes = fingerprint_text(text).unwrap().probes.into_iter();
                    probes.filter_map(|probe| distance(&registered, &probe)).any(|d| d <= radius)
                };
                found += usize::from(is_found(&changed));
                assert!(!is_found(&other), "{name}: a stranger");
            }
            assert!(found >= 16, "{name}: {found} of 20");
        }
    }

    #[test]
    fn short_chinese_poem_has_a_fingerprint() {
        let quatrain = fingerprint(CHINESE);
        assert_eq!(quatrain.scheme, Scheme::TextGraphemes as u16);
        let lines = CHINESE.replace(['，', '。'], "\r\n");
        assert_eq!(distance(&quatrain, &fingerprint(&lines)), Some(0));
        assert_eq!(read_text("床前明月光".as_bytes()), Ok(None));
    }

    #[test]
    fn optional_points_are_ignored() {
        let text = "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا";
        let pointed: String = text.chars().flat_map(|c| [c, '\u{064E}']).collect();
        assert_eq!(distance(&fingerprint(text), &fingerprint(&pointed)), Some(0));
    }

    #[test]
    fn registered_by_letters_is_still_probed() {
        let chinese = CHINESE.repeat(3);
        let probes = fingerprint_text(&chinese).unwrap().probes;
        let schemes: Vec<_> = probes.iter().map(|probe| probe.scheme).collect();
        assert_eq!(schemes, [7, 4]);
        assert_eq!(fingerprint_text(POEM).unwrap().probes.len(), 1);
    }

    #[test]
    fn invalid_text_is_rejected() {
        assert_eq!(read_text(b"\xFF\xFE"), Err(TextError::NotText));
        assert_eq!(read_text(b"nul\0"), Err(TextError::NotText));
        assert_eq!(read_text(b"To be, or not to be"), Ok(None));
        let long = vec![b'a'; MAX_TEXT_BYTES + 1];
        assert_eq!(read_text(&long), Err(TextError::TooLong(MAX_TEXT_BYTES + 1)));
    }
}
