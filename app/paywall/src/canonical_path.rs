/// Bytes that a path segment contains unencoded (RFC 3986, `pchar`), apart from letters and digits.
/// The semicolon is excluded, because some servers cut off what follows it.
const PLAIN: &[u8] = b"-._~!$&'()*+,=:@";
/// Bytes that no segment may contain, encoded or not, because a server that decodes them reads
/// another path.
const AMBIGUOUS: &[u8] = b"/\\?#%;";

/// Returns the one form of a path that is matched and forwarded, or `None` if two servers may read
/// the path differently.
///
/// Decodes what needs no encoding and encodes the rest in upper case. Refuses empty segments except
/// at the end, segments that end with a dot or a space, control characters, text that is not UTF-8,
/// and encoded delimiters.
pub fn canonical_path(path: &str) -> Option<String> {
    let mut canonical = String::with_capacity(path.len());
    let mut segments = path.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        canonical.push('/');
        if segment.is_empty() && segments.peek().is_some() {
            return None;
        }
        let segment = decode(segment)?;
        if segment.ends_with(['.', ' ']) {
            return None;
        }
        for byte in segment.bytes() {
            match byte {
                byte if AMBIGUOUS.contains(&byte) || byte.is_ascii_control() => return None,
                byte if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) => {
                    canonical.push(char::from(byte));
                }
                byte => canonical.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    Some(canonical)
}

/// Returns a path as a server reads it that ignores case and a slash at the end.
pub fn folded_path(canonical: &str) -> String {
    let folded = canonical.trim_end_matches('/').to_ascii_lowercase();
    if folded.is_empty() { "/".to_owned() } else { folded }
}

/// Decodes a segment. Returns `None` if an escape is malformed or the text is not UTF-8.
fn decode(segment: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_paths_have_one_form() {
        for (path, canonical) in [
            ("/", "/"),
            ("/images", "/images"),
            ("/%69mages", "/images"),
            ("/models/%62ig/generate", "/models/big/generate"),
            ("/a%40b/x%3ay", "/a@b/x:y"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b", "/a%20b"),
            ("/images/", "/images/"),
        ] {
            assert_eq!(canonical_path(path).as_deref(), Some(canonical), "{path}");
        }
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        for path in [
            "",
            "images",
            "*",
            "//images",
            "/a//b",
            "/.",
            "/a/../b",
            "/a/..",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a;x",
            "/a%3Bx",
            "/a%3Fx",
            "/a%23x",
            "/a%2569",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/a%",
            "/a%6",
            "/a%zz",
            "/a%c0%af",
            "/%2e%2e/a",
            "/a.",
            "/a%20",
        ] {
            assert_eq!(canonical_path(path), None, "{path}");
        }
    }

    #[test]
    fn canonical_path_is_stable() {
        for path in ["/a%20b/c:d@e", "/caf%C3%A9/", "/"] {
            assert_eq!(canonical_path(path).as_deref(), Some(path));
        }
    }
}
