use std::collections::VecDeque;

use motif_interface::licensing::Fingerprint;
use unicode_normalization::UnicodeNormalization;

use super::{
    Scheme,
    encoding::{decode, is_control},
    minhash::{MinHash, mixed},
};

/// Length of a shingle, characters. Short shingles are common to all texts of a language; long ones
/// change with every edited word.
const SHINGLE: usize = 13;
/// Minimum number of distinct shingles of a fingerprint.
const MIN_SHINGLES: u64 = 32;
const MAX_TEXT_BYTES: usize = 16 * 1_024 * 1_024;

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

/// Fingerprints text; returns `None` if it is too short.
///
/// UTF-8, UTF-16 and UTF-32 are read, with or without a byte order mark: the same text has the same
/// fingerprint in each. The text is normalized (NFKC) and lowercased, and reduced to letters and digits.
///
/// # Errors
/// [`TextError`].
pub fn read_text(bytes: &[u8]) -> Result<Option<Fingerprint>, TextError> {
    if bytes.len() > MAX_TEXT_BYTES {
        return Err(TextError::TooLong(bytes.len()));
    }
    let text = decode(bytes).ok_or(TextError::NotText)?;
    if text.contains(is_control) {
        return Err(TextError::NotText);
    }
    let letters = text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric());
    let mut minima = MinHash::new();
    let mut shingle = VecDeque::with_capacity(SHINGLE);
    let mut count = 0_u64;
    for letter in letters {
        if shingle.len() == SHINGLE {
            shingle.pop_front();
        }
        shingle.push_back(letter);
        if shingle.len() == SHINGLE {
            count += 1;
            minima.add(shingle.iter().fold(0, |hash, letter| mixed(hash ^ u64::from(*letter))));
        }
    }
    let fingerprint = Fingerprint { scheme: Scheme::TextShingles as u16, bits: minima.bits() };
    Ok((count >= MIN_SHINGLES).then_some(fingerprint))
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
    fn invalid_text_is_rejected() {
        assert_eq!(read_text(b"\xFF\xFE"), Err(TextError::NotText));
        assert_eq!(read_text(b"nul\0"), Err(TextError::NotText));
        assert_eq!(read_text(b"To be, or not to be"), Ok(None));
        let long = vec![b'a'; MAX_TEXT_BYTES + 1];
        assert_eq!(read_text(&long), Err(TextError::TooLong(MAX_TEXT_BYTES + 1)));
    }
}
