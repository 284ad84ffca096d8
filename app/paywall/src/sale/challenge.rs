use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use motif_sdk::gateway::wire::mpp;

use super::desk::SaleDesk;

/// Returns the identifier of a challenge.
pub(crate) fn challenge_id(desk: &dyn SaleDesk, challenge: &mpp::Challenge) -> String {
    id_text(desk, &challenge.bound())
}

/// Returns the identifier of a challenge, of which this is [`mpp::Challenge::bound`].
pub(crate) fn id_text(desk: &dyn SaleDesk, bound: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(desk.mac(bound))
}

/// Returns the digest of a body as MPP has it.
pub(crate) fn digest_text(body_digest: &[u8; 32]) -> String {
    format!("sha-256={}", BASE64_STANDARD.encode(body_digest))
}
