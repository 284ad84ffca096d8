use std::borrow::Cow;

/// A text without a byte order mark has at least this many characters: fewer prove nothing.
const MIN_UNMARKED: usize = 32;
/// It has at least one marker in this many characters.
const MARKER_EVERY: usize = 16;
/// It has more than this many times the markers of the other byte order's reading.
const DOMINANCE: usize = 4;

/// Decodes text: UTF-8, or UTF-16 or UTF-32 in either byte order, with or without a byte order mark.
/// Returns `None` for other content.
///
/// UTF-16 and UTF-32 without a mark are text if all of it decodes without control characters, and
/// one byte order has far more ASCII characters and ideographic punctuation than the other.
pub fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = match bytes {
        [] => return None,
        [0xFF, 0xFE, 0, 0, rest @ ..]
            if rest.len().is_multiple_of(4) && utf32(rest, u32::from_le_bytes).is_some() =>
        {
            utf32(rest, u32::from_le_bytes)?
        }
        [0, 0, 0xFE, 0xFF, rest @ ..] => utf32(rest, u32::from_be_bytes)?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => {
            if !bytes.contains(&0)
                && let Ok(text) = std::str::from_utf8(bytes)
            {
                return Some(Cow::Borrowed(text));
            }
            unmarked(bytes)?
        }
    };
    (!text.is_empty()).then_some(Cow::Owned(text))
}

/// Returns whether a character is one that text has none of.
pub fn is_control(character: char) -> bool {
    character.is_control() && !character.is_whitespace()
}

fn unmarked(bytes: &[u8]) -> Option<String> {
    let wide = [utf32(bytes, u32::from_le_bytes), utf32(bytes, u32::from_be_bytes)];
    let narrow = || [utf16(bytes, u16::from_le_bytes), utf16(bytes, u16::from_be_bytes)];
    likelier(wide).or_else(|| likelier(narrow()))
}

/// Returns the one of two readings of the same bytes that is text.
fn likelier([first, second]: [Option<String>; 2]) -> Option<String> {
    let read = |text: Option<String>| {
        let text = text.filter(|text| !text.contains(is_control))?;
        let markers = text.chars().filter(|character| is_marker(*character)).count();
        let length = text.chars().count();
        let is_text = length >= MIN_UNMARKED && markers.saturating_mul(MARKER_EVERY) >= length;
        is_text.then_some((markers, text))
    };
    match (read(first), read(second)) {
        (Some((more, text)), Some((fewer, _))) | (Some((fewer, _)), Some((more, text)))
            if more > fewer.saturating_mul(DOMINANCE) =>
        {
            Some(text)
        }
        (Some((_, text)), None) | (None, Some((_, text))) => Some(text),
        _ => None,
    }
}

/// Returns whether a character is common in text and rare in the other byte order's reading of it.
fn is_marker(character: char) -> bool {
    character.is_ascii() || matches!(character, '\u{3000}'..='\u{3003}' | '\u{FF01}'..='\u{FF1F}')
}

fn utf16(bytes: &[u8], word: fn([u8; 2]) -> u16) -> Option<String> {
    let (words, []) = bytes.as_chunks::<2>() else { return None };
    char::decode_utf16(words.iter().map(|bytes| word(*bytes))).collect::<Result<_, _>>().ok()
}

fn utf32(bytes: &[u8], word: fn([u8; 4]) -> u32) -> Option<String> {
    let (words, []) = bytes.as_chunks::<4>() else { return None };
    words.iter().map(|bytes| char::from_u32(word(*bytes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] = [
        "It was a bright cold day in April.\r\n",
        "Был холодный ясный апрельский день, и часы пробили тринадцать.",
        "四月间，天气寒冷晴朗，钟敲了十三下。温斯顿快步穿过玻璃门，寒风还是卷了进来。",
        "\u{1F600} characters outside of the first plane \u{1F4DA}",
    ];

    fn encodings(text: &str) -> Vec<Vec<u8>> {
        let narrow = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect();
        let wide = |order: fn(u32) -> [u8; 4]| {
            text.chars().flat_map(|character| order(u32::from(character))).collect()
        };
        vec![
            narrow(u16::to_le_bytes),
            narrow(u16::to_be_bytes),
            wide(u32::to_le_bytes),
            wide(u32::to_be_bytes),
        ]
    }

    #[test]
    fn utf16_and_utf32_are_read_as_text() {
        for text in TEXTS {
            for bytes in encodings(text) {
                assert_eq!(decode(&bytes).as_deref(), Some(text), "{bytes:?}");
            }
            for bytes in encodings(&format!("\u{FEFF}{text}")) {
                assert_eq!(decode(&bytes).as_deref(), Some(text), "{bytes:?}");
            }
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn binary_content_is_no_text() {
        let noise = |seed: u32| {
            let mut state = seed;
            std::iter::repeat_with(move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
        };
        for seed in 0..200 {
            let bytes: Vec<_> = noise(seed).take(512).collect();
            assert_eq!(decode(&bytes), None, "{seed}");
        }
        let samples = (-400..400_i16).flat_map(|sample| (sample * 40).to_le_bytes());
        assert_eq!(decode(&samples.collect::<Vec<_>>()), None);
        let names = "one.png\0second.jpeg\0third.webp\0a-fourth-name.gif\0".repeat(20);
        assert_eq!(decode(names.as_bytes()), None);
        for bytes in [&b""[..], &[0; 64], b"nul\0", b"\xFF\xFE", b"\xFF\xFE\x00", &[0xFF; 8]] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
