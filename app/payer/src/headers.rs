use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::problem::PayerError;

/// Headers of one connection, and those that follow from the request.
const OWN_TO_CONNECTION: [HeaderName; 11] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
];
/// Receipts have the digest of the unencoded body; `expect` is answered here.
const NOT_FORWARDED: [HeaderName; 2] = [header::ACCEPT_ENCODING, header::EXPECT];
/// Prefix of the payment's own headers.
const PAYMENT_PREFIX: &str = "motif-";

/// Removes what a target must not receive.
pub fn strip_for_target(headers: &mut HeaderMap) {
    strip_connection(headers);
    for name in NOT_FORWARDED {
        headers.remove(name);
    }
    strip_payment(headers);
}

/// Headers that act on the whole origin, which all targets share with this service.
const OF_ORIGIN: [HeaderName; 9] = [
    header::SET_COOKIE,
    header::REFRESH,
    header::STRICT_TRANSPORT_SECURITY,
    header::ALT_SVC,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("reporting-endpoints"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("nel"),
];

/// Removes what an unpaid answer must not have: what acts on the origin, and a receipt, which would pass for a
/// verified one.
pub fn strip_for_client(headers: &mut HeaderMap) {
    strip_connection(headers);
    for name in OF_ORIGIN {
        headers.remove(name);
    }
    strip_payment(headers);
}

fn strip_payment(headers: &mut HeaderMap) {
    let own: Vec<_> = headers.keys().filter(|name| is_own(name)).cloned().collect();
    for name in own {
        headers.remove(name);
    }
}

/// Removes the headers of one connection.
fn strip_connection(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed.iter().chain(&OWN_TO_CONNECTION) {
        headers.remove(name);
    }
}

fn is_own(name: &HeaderName) -> bool {
    name.as_str().starts_with(PAYMENT_PREFIX)
}

/// Returns headers as texts.
///
/// # Errors
/// [`PayerError::InvalidHeader`].
pub fn texts(headers: &HeaderMap) -> Result<Vec<(String, String)>, PayerError> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| match value.to_str() {
        Ok(value) => Ok((name.as_str().to_owned(), value.to_owned())),
        Err(_) => Err(PayerError::header(name, "visible ASCII")),
    };
    headers.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpaid_answer_has_no_receipt() {
        let sent = [
            ("motif-receipt", "forged"),
            ("set-cookie", "a=b"),
            ("set-cookie", "c=d"),
            ("clear-site-data", "\"*\""),
            ("refresh", "0; url=https://evil.example"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("content-type", "text/plain"),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name, HeaderValue::from_static(value));
        }
        strip_for_client(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["content-type"]);
    }

    #[test]
    fn connection_and_payment_headers_are_removed() {
        let sent = [
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("host", "127.0.0.1:8792"),
            ("content-length", "2"),
            ("accept-encoding", "gzip"),
            ("motif-payment", "forged"),
            ("motif-api-key", "key"),
            ("proxy-authorization", "Bearer token"),
            ("content-type", "application/json"),
            ("authorization", "Bearer of-the-target"),
        ];
        let pairs =
            sent.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut headers: HeaderMap = pairs.collect();
        strip_for_target(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "content-type"]);
        headers.insert("x-odd", HeaderValue::from_bytes(&[0xff]).unwrap());
        assert!(matches!(texts(&headers), Err(PayerError::InvalidHeader { .. })));
    }
}
