use std::fmt;

/// URL whose user part, path or query may hold a secret, such as a provider's key.
///
/// `Debug` shows scheme and host. [`Endpoint::scrub`] removes the rest from texts that quote the
/// URL, verbatim: a normalizing URL parser would miss secrets that it re-encodes. Quoted URLs of the
/// same host lose everything after it, so that short keys and normalized URLs are hidden too.
#[derive(Clone)]
pub struct Endpoint {
    shown: String,
    hidden: Vec<String>,
    /// Host without its port, if the URL has a user part, a path or a query.
    name: Option<String>,
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
        let is_bare = authority == host && matches!(rest, "" | "/");
        let name = (!is_bare).then(|| host_name(host).to_owned());
        Self { shown: format!("{scheme}://{host}"), hidden, name }
    }

    /// Returns a text without the URL's secrets.
    pub fn scrub(&self, text: &str) -> String {
        let Some(name) = &self.name else { return text.to_owned() };
        let scrub = |text: String, part: &String| text.replace(&part[..], "...");
        let text = self.hidden.iter().fold(text.to_owned(), scrub);
        let mut scrubbed = String::with_capacity(text.len());
        let mut rest = &text[..];
        while let Some(at) = rest.find("://") {
            let (before, after) = rest.split_at(at + "://".len());
            scrubbed.push_str(before);
            let ends = |one: char| one.is_whitespace() || ")\"'`<>,".contains(one);
            let (url, tail) = after.split_at(after.find(ends).unwrap_or(after.len()));
            let authority = url.find(['/', '?', '#']).map_or(url, |end| &url[..end]);
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            let is_own = host_name(host).eq_ignore_ascii_case(name);
            scrubbed.push_str(if is_own { host } else { url });
            rest = tail;
        }
        scrubbed + rest
    }
}

/// Returns a host without its port.
fn host_name(host: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name)
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
    fn short_keys_are_hidden() {
        for (url, quoted) in [
            ("http://h/KEY456", "http://h/KEY456"),
            ("https://h:443/KEY456", "https://h/KEY456"),
            ("http://user:password@[::1]:80/KEY456", "http://[::1]/KEY456"),
            ("http://H/k\u{e9}y/KEY456", "http://h/k%C3%A9y/KEY456"),
        ] {
            let text = format!("error sending request for url ({quoted}): refused");
            let scrubbed = Endpoint::new(url).scrub(&text);
            assert!(!scrubbed.contains("KEY456") && !scrubbed.contains("%C3"), "{scrubbed}");
            assert!(scrubbed.ends_with("): refused"), "{scrubbed}");
        }
        let other = "see https://docs.example/KEY456 and ://";
        assert_eq!(Endpoint::new("http://h/KEY457").scrub(other), other);
    }

    #[test]
    fn url_without_secrets_is_unchanged() {
        let text = "error sending request for url (http://127.0.0.1:8899/)";
        assert_eq!(Endpoint::new("http://127.0.0.1:8899").scrub(text), text);
    }
}
