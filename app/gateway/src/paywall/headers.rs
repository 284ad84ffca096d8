use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers that are about one connection, and go no further.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];
/// What clients may not say: who they are, the gateway says.
const CLAIMED: [HeaderName; 4] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
];
/// The API key towards the gateway, where it asks for one.
pub const API_KEY: HeaderName = HeaderName::from_static("motif-api-key");
/// The prefix of everything a paywall says and is told.
const OWN: &str = "motif-";

/// What a request's headers become on their way to the server behind.
pub fn towards_upstream(headers: &mut HeaderMap) {
    strip_hops(headers);
    for name in [header::HOST, header::CONTENT_LENGTH, header::EXPECT, header::ACCEPT_ENCODING] {
        headers.remove(name);
    }
    let forged = |name: &HeaderName| {
        let name = name.as_str();
        name.starts_with("x-forwarded-") || name.starts_with(OWN)
    };
    remove_where(headers, forged);
    for name in CLAIMED {
        headers.remove(name);
    }
}

/// What an answer's headers become on their way to a client.
pub fn towards_client(headers: &mut HeaderMap) {
    strip_hops(headers);
    // Receipts are the gateway's to give.
    remove_where(headers, |name| name.as_str().starts_with(OWN));
}

/// The headers of an answer that is kept. Its length follows from its body, and nothing that
/// somebody paid for is for a cache that others ask.
pub fn stored_headers(mut headers: HeaderMap) -> Vec<(String, String)> {
    towards_client(&mut headers);
    for name in [header::CONTENT_LENGTH, header::CACHE_CONTROL, header::AGE, header::EXPIRES] {
        headers.remove(name);
    }
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn strip_hops(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP).chain(&[header::UPGRADE]) {
        headers.remove(name);
    }
}

fn remove_where(headers: &mut HeaderMap, is_meant: impl Fn(&HeaderName) -> bool) {
    let meant: Vec<_> = headers.keys().filter(|name| is_meant(name)).cloned().collect();
    for name in meant {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn what_is_about_a_connection_or_claims_to_be_the_gateways_goes_no_further() {
        let mut headers = map(&[
            ("connection", "close, x-secret-hop"),
            ("x-secret-hop", "1"),
            ("keep-alive", "1"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("te", "trailers"),
            ("host", "inside.invalid"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-anything", "1"),
            ("x-real-ip", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("motif-payment", "canary"),
            ("motif-api-key", "canary"),
            ("accept", "image/png"),
        ]);
        towards_upstream(&mut headers);
        assert_eq!(names(&headers), ["accept"]);
    }

    #[test]
    fn a_server_behind_gives_no_receipts() {
        let stored = stored_headers(map(&[
            ("motif-receipt", "forged"),
            ("connection", "close"),
            ("cache-control", "public"),
            ("content-length", "3"),
            ("content-type", "image/png"),
        ]));
        assert_eq!(stored, [("content-type".to_owned(), "image/png".to_owned())]);
    }
}
