//! Streams from behind a paywall.

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_wire::{Problem, StreamEvent, StreamFailure, StreamedPart};

use crate::error::{PayerError, untrusted};

/// Name of the header with the content type of the joined parts.
pub const KIND_HEADER: &str = "motif-content-type";

/// Parses a server-sent event, without the empty line behind it; returns `None` for a comment.
///
/// # Errors
/// [`PayerError::Untrusted`].
pub fn read_event(event: &[u8]) -> Result<Option<StreamEvent>, PayerError> {
    let text = std::str::from_utf8(event).map_err(|_| untrusted("an event is not UTF-8"))?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let (Some(name), Some(data)) = (field("event: "), field("data: ")) else { return Ok(None) };
    let data = data.as_bytes();
    let event = match name {
        "due" => motif_json::from_slice(data).map(StreamEvent::Due),
        "output" => motif_json::from_slice(data).map(StreamEvent::Output),
        "end" => motif_json::from_slice(data).map(StreamEvent::End),
        "failed" => motif_json::from_slice(data).map(StreamEvent::Failed),
        name => return Err(untrusted(format!("unknown event `{name}`"))),
    };
    event.map(Some).map_err(|error| untrusted(error.to_string()))
}

/// Returns the bytes of a part.
///
/// # Errors
/// [`PayerError::Untrusted`].
pub fn part_bytes(part: &StreamedPart) -> Result<Vec<u8>, PayerError> {
    BASE64_STANDARD.decode(&part.body).map_err(|_| untrusted("a part is not base64"))
}

/// Returns the refusal that ends a stream. What was not handed over was not charged.
pub fn failure(failure: StreamFailure) -> PayerError {
    PayerError::Refused(Box::new(Problem {
        slug: failure.slug,
        title: "The stream has failed".to_owned(),
        status: 502,
        detail: failure.detail,
        expected: None,
        payment: None,
        holder: None,
        items: Vec::new(),
    }))
}
