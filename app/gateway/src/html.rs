//! Text in HTML and XML, and requests that prefer HTML.

use axum::http::{HeaderMap, header::ACCEPT};
use motif_sdk::text::visible;

/// Returns text as content or as a quoted attribute, with hidden characters shown.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns whether a client takes HTML, and takes JSON less or names it later.
pub fn is_preferred(headers: &HeaderMap) -> bool {
    let lines = || headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    // Clients other than browsers do not name it: they cost no more than this.
    if !lines().any(|line| line.contains("text/html")) {
        return false;
    }
    let ranges: Vec<_> = lines().flat_map(|line| line.split(',')).collect();
    let find = |wanted: &str| {
        let found = ranges.iter().enumerate().find_map(|(place, range)| {
            let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
            let is_wanted = kind.trim().eq_ignore_ascii_case(wanted);
            is_wanted.then(|| (quality(parameters), std::cmp::Reverse(place)))
        });
        found.filter(|(quality, _)| *quality > 0)
    };
    find("text/html") > find("application/json")
}

/// Returns the quality of a media range in thousandths.
fn quality(parameters: &str) -> u32 {
    let given = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().to_owned())
    });
    let Some(given) = given else { return 1_000 };
    let (whole, fraction) = given.split_once('.').unwrap_or((&given, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    let thousandths = fraction.parse::<u32>().unwrap_or(0);
    whole.parse::<u32>().unwrap_or(0).saturating_mul(1_000).saturating_add(thousandths).min(1_000)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn markup_is_escaped() {
        let text = escaped("<img src=x onerror='a'>\"&\u{202E}");
        assert!(!text.contains(['<', '>', '"', '\'', '\u{202E}']), "{text}");
        assert!(text.starts_with("&lt;img src=x onerror=&#39;a&#39;&gt;&quot;&amp;"), "{text}");
    }

    #[test]
    fn browser_prefers_html() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html, application/json", true),
            ("application/json, text/html", false),
            ("application/json, text/html;q=0.9", false),
            ("application/json;q=0.5, text/html;q=0.9", true),
            ("*/*", false),
            ("application/json", false),
            ("text/html;q=0", false),
            ("", false),
        ] {
            let headers = [(ACCEPT, HeaderValue::from_static(accept))].into_iter().collect();
            assert_eq!(is_preferred(&headers), expected, "{accept}");
        }
    }
}
