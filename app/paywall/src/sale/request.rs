use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request as HttpRequest,
    http::{HeaderMap, request::Parts},
};
use solana_sha256_hasher::hashv;

use crate::{body_budget::BodyShare, route::PaidRoute, server::Server};

/// Request to a paid route, whose body was read.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Route.
    pub route: Arc<PaidRoute>,
    /// Target as the client sent it: path and query.
    pub target: String,
    /// Method and target.
    pub named: String,
    /// SHA-256 of method, target and body.
    pub digest: [u8; 32],
    /// SHA-256 of the body.
    pub body_digest: [u8; 32],
    /// Whether the client accepts MPP's charges.
    pub accepts_charge: bool,
}

/// The request to the model server, taken when it is sent.
pub(crate) struct Forward {
    pub parts: Parts,
    pub body: Bytes,
    pub server: Server,
    /// Share of the body in the budget, until the model server has answered.
    pub share: BodyShare,
}

/// Creates a request of a route, from its parts and the SHA-256 of its body.
pub(crate) fn request(
    route: Arc<PaidRoute>,
    parts: &Parts,
    target: &str,
    body_digest: [u8; 32],
) -> Request {
    let method = parts.method.as_str();
    Request {
        route,
        target: target.to_owned(),
        named: format!("{method} {target}"),
        digest: request_digest(method, target, &body_digest),
        body_digest,
        accepts_charge: accepts_charge(&parts.headers),
    }
}

/// Returns [`motif_sdk::gateway::paid_request_digest`] of a body of which only the SHA-256 is known.
fn request_digest(method: &str, target: &str, body_digest: &[u8; 32]) -> [u8; 32] {
    let fields: [&[u8]; 6] = [
        b"\xFFmotif-paywall\x00\x01",
        &[u8::try_from(method.len()).unwrap_or(u8::MAX)],
        method.as_bytes(),
        &u32::try_from(target.len()).unwrap_or(u32::MAX).to_le_bytes(),
        target.as_bytes(),
        body_digest,
    ];
    hashv(&fields).to_bytes()
}

/// Returns whether a client that names the payments it can make accepts MPP's charges on Solana.
fn accepts_charge(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all("accept-payment").iter().peekable();
    if lines.peek().is_none() {
        return true;
    }
    let texts = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let mut names = texts.map(|text| text.split(';').next().unwrap_or_default().trim());
    names.any(|name| ["solana/charge", "solana/*", "*/charge", "*/*"].contains(&name))
}

impl Forward {
    /// Returns the request for the model server.
    pub fn into_request(self) -> (HttpRequest, Server, BodyShare) {
        (HttpRequest::from_parts(self.parts, Body::from(self.body)), self.server, self.share)
    }
}

#[cfg(test)]
mod tests {
    use motif_sdk::gateway::paid_request_digest;

    use super::*;

    #[test]
    fn request_digest_is_of_the_sdk() {
        for body in ["", "{\"prompt\":\"New York\"}"] {
            let body_digest = hashv(&[body.as_bytes()]).to_bytes();
            assert_eq!(
                request_digest("POST", "/images?size=1", &body_digest),
                paid_request_digest("POST", "/images?size=1", body.as_bytes())
            );
        }
    }
}
