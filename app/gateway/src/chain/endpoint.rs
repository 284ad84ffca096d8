use std::fmt;

/// A node's URL, which may hold a provider's key: in its user part, its path or its query.
///
/// It shows scheme and host alone, and takes the rest out of texts that quote it.
#[derive(Clone)]
pub struct Endpoint {
    shown: String,
    hidden: Vec<String>,
}

impl Endpoint {
    /// Shorter parts of a path are names, such as `v2`, and keep errors readable.
    const SHORTEST_KEY: usize = 8;

    /// What may be shown of a URL, and what may not.
    pub fn new(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (path, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
        let keys = path.split('/').filter(|part| part.len() >= Self::SHORTEST_KEY);
        let values = query
            .split(['&', '#'])
            .map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        let user = user.split(':');
        let hidden = user.chain(keys).chain(values).filter(|part| !part.is_empty());
        let mut hidden: Vec<_> = hidden.map(str::to_owned).collect();
        hidden.sort_by_key(|part| std::cmp::Reverse(part.len())); // the longest first: one may hold another
        Self { shown: format!("{scheme}://{host}"), hidden }
    }

    /// A text without what must not be shown.
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
    fn a_providers_key_is_not_shown_wherever_it_stands() {
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
    fn a_url_without_a_key_is_left_as_it_is() {
        let text = "error sending request for url (http://127.0.0.1:8899/)";
        assert_eq!(Endpoint::new("http://127.0.0.1:8899").scrub(text), text);
    }
}
