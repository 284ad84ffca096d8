//! Digest and fingerprints of a file, as a call of a WebAssembly module.
//!
//! ```
//! use motif_content::Content;
//!
//! let output = Content::default().call(&motif_frame::frame(r#"{"call":"content.examine"}"#, b"words"));
//! let (json, _) = motif_frame::read(&output).expect("a frame");
//! assert!(json.contains(r#""media":"text""#));
//! ```

use motif_fingerprint::{ContentError, Media, Scheme, content_digest, distance, perceive};
use motif_frame::{Answer, Call, CallError, Handler, answer, arguments};
use motif_interface::licensing::Fingerprint;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Version of the interface.
const ABI: u32 = 1;
const CALLS: &[(&str, Handler<Content>)] =
    &[("version", version), ("content.examine", examine), ("content.distance", compare)];

/// The module. It keeps nothing between calls.
#[derive(Debug, Default)]
pub struct Content(());

/// Fingerprint as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FingerprintParts {
    scheme: u16,
    /// 64 hexadecimal digits.
    bits: String,
}

impl Content {
    /// Executes the call in a frame; returns the frame of its answer.
    pub fn call(&mut self, input: &[u8]) -> Vec<u8> {
        answer(self, &[CALLS], input)
    }
}

fn version(_: &mut Content, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {});
    let calls: Vec<_> = CALLS.iter().map(|(name, _)| name).collect();
    let version = env!("CARGO_PKG_VERSION");
    Ok(Answer::of(&json!({ "abi": ABI, "version": version, "calls": calls })))
}

fn examine(_: &mut Content, call: Call) -> Result<Answer, CallError> {
    let content = call.raw;
    arguments!(call, {});
    let perceived = perceive(content).map_err(|error| {
        let kind = match error {
            ContentError::TooLong(_) => "content-too-large",
            _ => "content-unreadable",
        };
        CallError::new(kind, error)
    })?;
    let media = match perceived.media {
        Media::Image => "image",
        Media::Audio => "audio",
        Media::Text => "text",
        Media::Other => "other",
    };
    let probes: Vec<_> = perceived.probes.iter().map(FingerprintParts::from).collect();
    Ok(Answer::of(&json!({
        "digest": hex::encode(content_digest(content)),
        "media": media,
        "media_type": perceived.media_type,
        "fingerprint": FingerprintParts::from(&perceived.fingerprint),
        "probes": probes,
    })))
}

fn compare(_: &mut Content, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { one: FingerprintParts, other: FingerprintParts });
    let (one, other) = (one.fingerprint()?, other.fingerprint()?);
    let distance = distance(&one, &other);
    let radius = Scheme::from_number(one.scheme).map_or(0, Scheme::radius);
    let is_alike = distance.is_some_and(|distance| distance <= radius);
    Ok(Answer::of(&json!({ "distance": distance, "is_alike": is_alike })))
}

impl FingerprintParts {
    fn fingerprint(&self) -> Result<Fingerprint, CallError> {
        let refuse = |_| CallError::invalid_input("invalid `bits`: expected 64 hexadecimal digits");
        let bits = hex::decode_to_array(&self.bits).map_err(refuse)?;
        Ok(Fingerprint { scheme: self.scheme, bits })
    }
}

impl From<&Fingerprint> for FingerprintParts {
    fn from(fingerprint: &Fingerprint) -> Self {
        Self { scheme: fingerprint.scheme, bits: hex::encode(fingerprint.bits) }
    }
}

motif_frame::exports!(Content);
