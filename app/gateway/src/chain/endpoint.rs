use std::fmt;

/// URL whose user part, path or query may hold a secret, such as a provider's key.
///
/// `Debug` shows scheme and host. [`Endpoint::scrub`] removes the rest from texts that quote the
/// URL, verbatim: a normalizing URL parser would miss secrets that it re-encodes.
#[derive(Clone)]
pub struct Endpoint {
    shown: String,
    hidden: Vec<String>,
}

impl Endpoint {
    /// Minimum length of a secret path segment. Shorter segments are names, such as `v2`.
    const MIN_KEY_CHARACTERS: usize = 8;

    /// Splits a URL into public and secret parts.
    pub fn new(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (path, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
        let keys = path.split('/').filter(|part| part.len() >= Self::MIN_KEY_CHARACTERS);
        let values = query
            .split(['&', '#'])
            .map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        let user = user.split(':');
        let hidden = user.chain(keys).chain(values).filter(|part| !part.is_empty());
        let mut hidden: Vec<_> = hidden.map(str::to_owned).collect();
        hidden.sort_by_key(|part| std::cmp::Reverse(part.len())); // longest first: one may contain another
        Self { shown: format!("{scheme}://{host}"), hidden }
    }

    /// Returns a text without the URL's secrets.
    pub fn scrub(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, part| text.replace(&part[..], "..."))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_secrets_are_hidden() {
        for url in [
            "https://rpc.example/?api-key=canary-canary",
            "https://rpc.example/v2/canary-canary",
            "https://rpc.example/v2/canary-canary/?canary-canary",
            "https://canary:canary-canary@rpc.example",
            "https://canary-canary@rpc.example:8899/path#canary-canary",
        ] {
            let endpoint = Endpoint::new(url);
            let shown = format!("{endpoint:?}");
            assert!(shown.starts_with("https://rpc.example"), "{shown}");
            assert!(!shown.contains("canary"), "{shown}");
            let scrubbed = endpoint.scrub(&format!("error sending request for url ({url})"));
            assert!(!scrubbed.contains("canary"), "{scrubbed}");
            assert!(scrubbed.contains("rpc.example"), "{scrubbed}");
        }
    }

    #[test]
    fn url_without_secrets_is_unchanged() {
        let text = "error sending request for url (http://127.0.0.1:8899/)";
        assert_eq!(Endpoint::new("http://127.0.0.1:8899").scrub(text), text);
    }
}
