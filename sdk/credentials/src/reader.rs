use std::io::Cursor;

use c2pa::{Context, Reader, ValidationState, validation_results::validation_codes};
use serde_json::json;

use motif_fingerprint::content_digest;
use motif_wire::{Credentials, CredentialsSigner, CredentialsState, Digest, Provenance};

use super::Carrier;

const MAX_FAULTS: usize = 16;
const MAX_TEXT_CHARS: usize = 200;
/// Maximum size of a decompressed manifest, MB.
const MAX_MANIFEST_MB: usize = 16;
/// Accepted certificate purposes: e-mail, document signing, C2PA claims, and vendor purposes that
/// preceded them.
const PURPOSES: &str = "1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1\n\
                        1.3.6.1.4.1.311.76.59.1.9\n";

/// Reads the credentials in a file; returns `None` if it carries none. Makes no network requests.
///
/// A signer is trusted if its certificate chain ends in one of `anchors`, PEM. Without anchors, no
/// signer is trusted.
///
/// Use a [`crate::DecodingWorker`] for untrusted content.
pub fn read(content: &[u8], anchors: Option<&str>) -> Option<Credentials> {
    let carrier = Carrier::detect(content)?;
    let bare_digest = content_digest(&carrier.bare(content)?);
    let reading = std::panic::AssertUnwindSafe(|| parse(content, carrier, anchors));
    let parsed = std::panic::catch_unwind(reading).ok().and_then(Result::ok);
    let read = parsed.map(|reader| credentials(&reader, bare_digest));
    Some(read.unwrap_or_else(|| Credentials::unreadable(bare_digest)))
}

/// Whether `anchors` are certificates in PEM.
pub fn are_anchors(anchors: &str) -> bool {
    anchors.contains("-----BEGIN CERTIFICATE-----") && offline(Some(anchors)).is_ok()
}

fn parse(content: &[u8], carrier: Carrier, anchors: Option<&str>) -> c2pa::Result<Reader> {
    let context = offline(anchors)?.into_shared();
    Reader::from_shared_context(&context).with_stream(carrier.media_type(), Cursor::new(content))
}

/// Returns c2pa's settings without network access.
pub(super) fn offline(anchors: Option<&str>) -> c2pa::Result<Context> {
    let mut settings = json!({
        "verify": {
            "verify_after_reading": true,
            "verify_trust": true,
            "ocsp_fetch": false,
            "remote_manifest_fetch": false,
        },
        "core": {
            "allowed_network_hosts": [],
            "decode_identity_assertions": false,
            "max_decompressed_manifest_size_in_mb": MAX_MANIFEST_MB,
        },
        "trust": { "trust_config": PURPOSES },
        "builder": { "thumbnail": { "enabled": false } },
    });
    if let Some(anchors) = anchors {
        settings["trust"]["trust_anchors"] = anchors.into();
    }
    Context::new().with_settings(settings)
}

fn credentials(reader: &Reader, bare_digest: [u8; 32]) -> Credentials {
    let faults = faults(reader);
    let validation = reader.validation_state();
    let state = match validation {
        ValidationState::Valid | ValidationState::Trusted => CredentialsState::Intact,
        ValidationState::Invalid if faults.iter().any(|fault| is_alteration(fault)) => {
            CredentialsState::Altered
        }
        ValidationState::Invalid => CredentialsState::Invalid,
    };
    let manifest = reader.active_manifest();
    let signature = manifest.and_then(|manifest| manifest.signature_info());
    let signer = signature.map(|signature| CredentialsSigner {
        name: signature.common_name.as_deref().map(shown),
        organisation: signature.issuer.as_deref().map(shown),
        algorithm: signature.alg.map(|algorithm| format!("{algorithm:?}")),
        trusted: validation == ValidationState::Trusted,
    });
    let provenance = manifest.and_then(|manifest| {
        let mut all = manifest.assertions().iter();
        let ours = all.find(|assertion| assertion.label() == Provenance::LABEL)?;
        ours.to_assertion::<Provenance>().ok().filter(Provenance::is_readable)
    });
    Credentials { state, bare_digest: Digest(bare_digest), signer, faults, provenance }
}

/// Returns validation failures of the manifest and its ingredients, except for an untrusted signer.
fn faults(reader: &Reader) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(results) = reader.validation_results() else { return faults };
    let active = results.active_manifest().into_iter();
    let ingredients = results.ingredient_deltas().into_iter().flatten();
    let all = active.chain(ingredients.map(|ingredient| ingredient.validation_deltas()));
    for status in all.flat_map(|codes| codes.failure()) {
        let code = shown(status.code());
        let is_fault = code != validation_codes::SIGNING_CREDENTIAL_UNTRUSTED;
        if is_fault && !faults.contains(&code) && faults.len() < MAX_FAULTS {
            faults.push(code);
        }
    }
    faults
}

/// Whether a failure proves that content or manifest was changed.
fn is_alteration(fault: &str) -> bool {
    let mismatches = [
        validation_codes::ASSERTION_DATAHASH_MISMATCH,
        validation_codes::ASSERTION_BMFFHASH_MISMATCH,
        validation_codes::ASSERTION_BOXHASH_MISMATCH,
        validation_codes::ASSERTION_HASHEDURI_MISMATCH,
        validation_codes::ASSERTION_MISSING,
        validation_codes::ASSERTION_UNDECLARED,
        validation_codes::CLAIM_SIGNATURE_MISMATCH,
        validation_codes::CLAIM_SIGNATURE_MISSING,
        validation_codes::INGREDIENT_HASHEDURI_MISMATCH,
    ];
    mismatches.contains(&fault)
}

/// Truncates untrusted text and removes control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MAX_TEXT_CHARS).collect()
}
