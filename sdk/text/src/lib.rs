//! Display of texts from strangers: titles, URIs, messages of nodes and gateways.
//!
//! A *hidden* character is invisible or changes how the text around it is displayed: control
//! characters, marks of the bidirectional algorithm, zero-width and filler characters, tags, and
//! noncharacters. All characters that XML 1.0 prohibits are hidden.
//!
//! ```
//! use motif_text::{first_hidden, visible};
//!
//! assert_eq!(visible("a\u{1b}[2J"), "a\\u{1b}[2J");
//! assert_eq!(first_hidden("No\u{200b}va"), Some('\u{200b}'));
//! assert_eq!(first_hidden("家族 👩\u{200d}👧"), None);
//! ```

use motif_interface::licensing::is_format_control;

/// Returns the first hidden character of a text.
pub fn first_hidden(text: &str) -> Option<char> {
    characters(text).find(|(_, hidden)| *hidden).map(|(character, _)| character)
}

/// Returns a text for one line of a terminal: hidden characters are escaped as `\u{...}`.
pub fn visible(text: &str) -> String {
    replaced(text, |shown, character| shown.extend(character.escape_unicode()))
}

/// Returns a text for a terminal, as [`visible`], with its line breaks and tabs.
pub fn visible_lines(text: &str) -> String {
    replaced(text, |shown, character| match character {
        '\n' | '\t' => shown.push(character),
        _ => shown.extend(character.escape_unicode()),
    })
}

/// Returns a URI with hidden characters percent-encoded.
pub fn encoded_uri(uri: &str) -> String {
    replaced(uri, |encoded, character| {
        let mut buffer = [0; 4];
        for byte in character.encode_utf8(&mut buffer).bytes() {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    })
}

/// Returns JSON with hidden characters of its strings escaped as `\u` and four hexadecimal digits. The value is the same.
/// Line breaks between values are kept.
pub fn visible_json(json: &str) -> String {
    replaced(json, |escaped, character| {
        if character == '\n' {
            escaped.push(character);
            return;
        }
        let mut buffer = [0; 2];
        for unit in character.encode_utf16(&mut buffer) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    })
}

fn replaced(text: &str, replace: impl Fn(&mut String, char)) -> String {
    let mut shown = String::with_capacity(text.len());
    for (character, hidden) in characters(text) {
        if hidden {
            replace(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Returns the characters of a text, each with whether it is hidden.
fn characters(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut ahead = text.chars().peekable();
    std::iter::from_fn(move || {
        let character = ahead.next()?;
        let hidden = match character {
            // Emoji and several scripts join letters, and select their shapes.
            '\u{200C}' | '\u{200D}' => {
                let follows = is_letter(before) || before == Some('\u{FE0F}');
                !(follows && is_letter(ahead.peek().copied()))
            }
            '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => !is_letter(before),
            _ => is_hidden(character),
        };
        before = Some(character);
        Some((character, hidden))
    })
}

/// Returns whether a character may have a joiner or a selector beside it.
fn is_letter(character: Option<char>) -> bool {
    let special = |one: char| {
        let is_joiner = matches!(one, '\u{200C}' | '\u{200D}');
        let is_selector = matches!(one, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}');
        is_joiner || is_selector || is_hidden(one)
    };
    character.is_some_and(|one| !one.is_ascii() && !special(one))
}

/// Returns whether a character is hidden in any context.
fn is_hidden(character: char) -> bool {
    is_format_control(character)
        || matches!(
            character,
            '\u{AD}'
                | '\u{34F}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{FFFE}'..='\u{FFFF}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E00FF}'
                | '\u{E01F0}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_found() {
        for hidden in [
            '\0',
            '\u{1b}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            let text = format!("No{hidden}va");
            assert_eq!(first_hidden(&text), Some(hidden), "{}", hidden.escape_unicode());
            assert!(visible(&text).is_ascii());
            assert!(visible(&text).chars().all(|one| !one.is_control()));
        }
    }

    #[test]
    fn joiners_between_letters_are_kept() {
        let persian = "می\u{200c}خواهم";
        for text in ["", "Café", "家族 👩\u{200d}👧", "👩\u{fe0f}\u{200d}👧", persian, "❤\u{fe0f}"]
        {
            assert_eq!(first_hidden(text), None, "{text}");
            assert_eq!(visible(text), text);
        }
        for text in ["\u{200d}", "é\u{200d}", "é\u{200d}\u{200d}é", "é\u{fe00}\u{fe00}"] {
            assert!(first_hidden(text).is_some(), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn only_lines_keep_line_breaks() {
        assert_eq!(visible("a\nb"), "a\\u{a}b");
        assert_eq!(visible_lines("a\n\tb\u{7}"), "a\n\tb\\u{7}");
    }

    #[test]
    fn encoded_uri_is_ascii() {
        assert_eq!(encoded_uri("https://e.com/?a=b%20c"), "https://e.com/?a=b%20c");
        assert_eq!(encoded_uri("https://e.com/\u{1b}\u{202e}"), "https://e.com/%1B%E2%80%AE");
    }

    #[test]
    fn visible_json_has_the_same_value() {
        let json = "{\"title\":\"a\u{9b}\u{202e}\u{e0041}\"}\n";
        let shown = visible_json(json);
        assert_eq!(shown, "{\"title\":\"a\\u009b\\u202e\\udb40\\udc41\"}\n");
    }
}
