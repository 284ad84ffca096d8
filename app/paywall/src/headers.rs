use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers of one connection, which are not forwarded.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];
/// Beginnings of headers by which some servers and proxies replace the method, the target or the
/// client's address of a request. The paywall matched the request without them, and only the gateway
/// may state the address.
const OVERRIDE_PREFIXES: [&str; 15] = [
    "cf-connecting",
    "fastly-client",
    "forwarded",
    "proxy",
    "true-client",
    "x-appengine-user",
    "x-cluster",
    "x-envoy",
    "x-forward",
    "x-host",
    "x-http-method",
    "x-method",
    "x-real-",
    "x-remote",
    "x-script",
];
/// Words in the name of such a header.
const ADDRESS_WORDS: [&str; 3] = ["client-ip", "clientip", "client-addr"];
/// Words in the name of such a header that begins with `x-`.
const OVERRIDE_WORDS: [&str; 6] =
    ["connecting-ip", "forwarded", "original", "override", "rewrite", "unencoded"];
/// Headers of payments without a channel, which only clients and the paywall send.
const PAYMENTS: [HeaderName; 6] = [
    HeaderName::from_static("payment-required"),
    HeaderName::from_static("payment-signature"),
    HeaderName::from_static("payment-response"),
    HeaderName::from_static("x-payment"),
    HeaderName::from_static("x-payment-response"),
    HeaderName::from_static("payment-receipt"),
];
/// Authentication scheme of payments, in `authorization` and `www-authenticate`.
const PAYMENT_SCHEME: &str = "payment ";
/// API key of the gateway's caller.
pub const API_KEY: HeaderName = HeaderName::from_static("motif-api-key");
/// Prefix of the paywall's own headers.
const OWN_PREFIX: &str = "motif-";

/// Removes the request headers that the model server must not receive.
pub fn strip_for_upstream(headers: &mut HeaderMap) {
    strip_connection(headers);
    for name in [header::HOST, header::CONTENT_LENGTH, header::EXPECT, header::ACCEPT_ENCODING] {
        headers.remove(name);
    }
    remove_where(headers, |name| is_override(name.as_str()));
    strip_payments(headers, header::AUTHORIZATION);
}

/// Returns whether a header may change what the model server takes for the request. CGI and its
/// successors read `_` as `-`, so that a header with an underscore can stand for any other.
fn is_override(name: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    name.contains('_')
        || name.starts_with(OWN_PREFIX)
        || OVERRIDE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || has(&ADDRESS_WORDS)
        || (name.starts_with("x-") && has(&OVERRIDE_WORDS))
}

/// Removes the response headers that a client must not receive.
pub fn strip_for_client(headers: &mut HeaderMap) {
    strip_connection(headers);
    // Only the gateway issues receipts.
    remove_where(headers, |name| name.as_str().starts_with(OWN_PREFIX));
    strip_payments(headers, header::WWW_AUTHENTICATE);
}

/// Removes payments, and the lines of the header `authentication` with their scheme.
fn strip_payments(headers: &mut HeaderMap, authentication: HeaderName) {
    for name in PAYMENTS {
        headers.remove(name);
    }
    let is_payment = |value: &HeaderValue| {
        let text = value.as_bytes().trim_ascii_start();
        let scheme = text.get(..PAYMENT_SCHEME.len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(PAYMENT_SCHEME.as_bytes()))
    };
    let lines: Vec<_> = headers.get_all(&authentication).iter().cloned().collect();
    if lines.iter().any(is_payment) {
        headers.remove(&authentication);
        for line in lines.into_iter().filter(|line| !is_payment(line)) {
            headers.append(&authentication, line);
        }
    }
}

/// Returns the headers to store with an answer. The length follows from the body, and shared
/// caches must not store a paid answer.
pub fn stored_headers(mut headers: HeaderMap) -> Vec<(String, String)> {
    strip_for_client(&mut headers);
    for name in [header::CONTENT_LENGTH, header::CACHE_CONTROL, header::AGE, header::EXPIRES] {
        headers.remove(name);
    }
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn strip_connection(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP).chain(&[header::UPGRADE]) {
        headers.remove(name);
    }
}

fn remove_where(headers: &mut HeaderMap, matches: impl Fn(&HeaderName) -> bool) {
    let matching: Vec<_> = headers.keys().filter(|name| matches(name)).cloned().collect();
    for name in matching {
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
    fn reserved_headers_are_not_forwarded() {
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
            ("x-original-url", "/free"),
            ("x-rewrite-url", "/free"),
            ("x-http-method-override", "GET"),
            ("proxy", "http://6.6.6.6"),
            ("proxy-connection", "keep-alive"),
            ("true-client-ip", "6.6.6.6"),
            ("cf-connecting-ip", "6.6.6.6"),
            ("motif-payment", "canary"),
            ("motif-api-key", "canary"),
            ("payment-signature", "canary"),
            ("x-payment", "canary"),
            ("authorization", "payment canary"),
            ("accept", "image/png"),
            ("x-client-request-id", "7"),
        ]);
        strip_for_upstream(&mut headers);
        assert_eq!(names(&headers), ["accept", "x-client-request-id"]);
    }

    #[test]
    fn override_headers_are_not_forwarded() {
        for name in [
            "x_http_method_override",
            "x_original_url",
            "x_forwarded_for",
            "x-original-method",
            "x-override-url",
            "x-original-path",
            "x-envoy-original-path",
            "x-envoy-external-address",
            "fastly-client-ip",
            "client-ip",
            "forwarded-for",
            "x-original-forwarded-for",
            "x-script-name",
            "x-waws-unencoded-url",
            "x-remote-addr",
            "x-azure-clientip",
        ] {
            let mut headers = map(&[(name, "/free"), ("authorization", "Bearer key")]);
            strip_for_upstream(&mut headers);
            assert_eq!(names(&headers), ["authorization"], "{name}");
        }
    }

    #[test]
    fn upstream_receipt_is_stripped() {
        let stored = stored_headers(map(&[
            ("motif-receipt", "forged"),
            ("connection", "close"),
            ("cache-control", "public"),
            ("content-length", "3"),
            ("payment-response", "forged"),
            ("payment-receipt", "forged"),
            ("www-authenticate", "Payment id=\"forged\""),
            ("content-type", "image/png"),
        ]));
        assert_eq!(stored, [("content-type".to_owned(), "image/png".to_owned())]);
    }
}
