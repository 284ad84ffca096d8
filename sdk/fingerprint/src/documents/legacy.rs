//! Text in encodings before Unicode.

use chardetng::EncodingDetector;

use crate::{charset::is_control, text::MAX_TEXT_BYTES};

/// Minimum number of bytes: fewer prove nothing, and have no fingerprint.
const MIN_BYTES: usize = 40;

/// Decodes text in an encoding that is guessed from its bytes; returns `None` for content that is no text in
/// the encoding that browsers would guess.
pub fn decode_legacy(bytes: &[u8]) -> Option<String> {
    let is_plain = |byte: &u8| *byte >= 0x20 || byte.is_ascii_whitespace() || *byte == 0x1B;
    if !(MIN_BYTES..=MAX_TEXT_BYTES).contains(&bytes.len()) || !bytes.iter().all(is_plain) {
        return None;
    }
    let mut detector = EncodingDetector::new();
    detector.feed(bytes, true);
    let encoding: &encoding_rs::Encoding = detector.guess(None, false);
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    // Letters are the most of any text; bytes of other content are signs in most encodings.
    let letters = text.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace()).count();
    let is_text = !text.contains(is_control) && letters * 3 >= text.chars().count() * 2;
    is_text.then(|| text.into_owned())
}
