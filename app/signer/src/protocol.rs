//! Lines on a signing socket.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use crate::Purpose;

/// Maximum length of a line, its line feed included, bytes.
pub const MAX_LINE_BYTES: usize = 16 * 1_024;

/// Request of one signature: one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignRequest {
    /// Number that the response repeats, chosen by the client.
    pub id: u64,
    /// Purpose of the signature.
    pub purpose: Purpose,
    /// Key that signs, base58.
    pub public_key: String,
    /// Bytes to be signed, base64.
    pub bytes: String,
}

/// Response to a [`SignRequest`]: one line of JSON with either a signature or an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignResponse {
    /// Number of the request.
    pub id: u64,
    /// Ed25519 signature, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Reason for which the signer refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Returns a line of JSON with its line feed.
pub fn to_line(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads a line of JSON; returns `None` at the end of the stream.
///
/// # Errors
/// Those of the stream; [`std::io::ErrorKind::InvalidData`] for a line that is too long, incomplete
/// or not the expected JSON.
pub async fn read_line<T: for<'a> Deserialize<'a>>(
    stream: &mut (impl AsyncBufRead + Unpin),
) -> std::io::Result<Option<T>> {
    let mut line = Vec::new();
    stream.take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line).await?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        Some(_) => Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "invalid line")),
    }
}

/// Returns the base64 of bytes.
pub fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Returns the bytes of base64, or `None` for any other text.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}
