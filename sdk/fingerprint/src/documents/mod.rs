//! Text of documents: PDF, DOCX, ODT and EPUB, and text in legacy encodings.

mod legacy;
mod package;
mod pdf;

use super::{format::Format, text::MAX_TEXT_BYTES};

pub use legacy::decode_legacy;

/// Maximum size of a document's parts together after decompression.
const MAX_UNPACKED_BYTES: u64 = 128 * 1_024 * 1_024;

/// Errors of reading a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Error returned when a document is damaged or lacks a part.
    #[error("corrupt document: {0}")]
    Unreadable(String),
    /// Error returned when a document needs a password or a license.
    #[error("the document is encrypted")]
    Encrypted,
    /// Error returned when the parts or the text of a document exceed the maximum size.
    #[error(
        "the document unpacks to too much: at most {MAX_UNPACKED_BYTES} bytes, {MAX_TEXT_BYTES} of them text"
    )]
    TooLarge,
}

/// Returns the text of a document; `None` if the format is none of a document.
///
/// # Errors
/// [`DocumentError`].
pub fn text(format: Format, bytes: &[u8]) -> Result<Option<String>, DocumentError> {
    let text = match format {
        Format::Pdf => pdf::text(bytes)?,
        Format::Docx => package::docx(bytes)?,
        Format::Odt => package::odt(bytes)?,
        Format::Epub => package::epub(bytes)?,
        _ => return Ok(None),
    };
    if text.len() > MAX_TEXT_BYTES {
        return Err(DocumentError::TooLarge);
    }
    Ok(Some(text))
}

impl DocumentError {
    fn unreadable(error: impl ToString) -> Self {
        Self::Unreadable(error.to_string())
    }
}
