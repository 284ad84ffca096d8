use super::LicensingError;
use crate::require;

/// Maximum length of a work's title, bytes of UTF-8.
pub const MAX_TITLE_BYTES: usize = 64;

/// Checks a work's title, which may be empty: at most 64 bytes, without characters that change how
/// the text around them is displayed.
///
/// # Errors
/// [`LicensingError::TitleTooLong`], [`LicensingError::InvalidTitle`].
pub fn check_title(title: &str) -> Result<(), LicensingError> {
    require!(title.len() <= MAX_TITLE_BYTES, LicensingError::TitleTooLong);
    require!(!title.chars().any(is_format_control), LicensingError::InvalidTitle);
    Ok(())
}

/// Returns whether a character changes how the text around it is displayed: a control character
/// (Cc), a line or paragraph separator, or a mark, embedding, override or isolate of the
/// bidirectional algorithm (UAX #9).
pub fn is_format_control(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1F'
            | '\x7F'..='\u{9F}'
            | '\u{61C}'
            | '\u{200E}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_has_at_most_64_bytes() {
        for title in ["", "Coffee", &"t".repeat(64), &"é".repeat(32), "家族 👩\u{200D}👧"] {
            assert_eq!(check_title(title), Ok(()), "{title}");
        }
        for title in ["t".repeat(65), "é".repeat(33)] {
            assert_eq!(check_title(&title), Err(LicensingError::TitleTooLong), "{title}");
        }
    }

    #[test]
    fn format_control_in_title_is_rejected() {
        let bidi = "\u{61C}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\
                    \u{2068}\u{2069}";
        let controls = (0..=0x9F).filter_map(char::from_u32).filter(|one| one.is_control());
        for character in controls.chain(bidi.chars()).chain(['\u{2028}', '\u{2029}']) {
            let title = format!("a{character}b");
            let refused = Err(LicensingError::InvalidTitle);
            assert_eq!(check_title(&title), refused, "{}", character.escape_unicode());
        }
        for character in [' ', '~', '\u{A0}', '\u{200D}', '\u{2027}', '\u{202F}', '\u{206A}'] {
            assert!(!is_format_control(character), "{}", character.escape_unicode());
        }
    }
}
