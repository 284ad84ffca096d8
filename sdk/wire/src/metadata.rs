//! Metadata of a work: the document whose SHA-256 is on chain.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;

/// Document about a work. Its bytes are what is hashed: any JSON text of these fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Version of the layout: 1.
    pub motif: u32,
    /// Title, at most 64 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Description, at most 2,000 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Name of the creator, at most 100 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub creator: String,
    /// At most 8 `https` URLs of at most 200 bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// SHA-256 of a picture: PNG, JPEG or WebP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Digest>,
    /// Provenance of a data set, with the fields of the Data & Trust Alliance's standard 1.0 in snake
    /// case, at most 32 of at most 500 bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provenance: BTreeMap<String, String>,
}

/// Error returned when a document is not metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Error returned when the text is not JSON of the fields.
    #[error("expected JSON with the fields of metadata: {0}")]
    Malformed(String),
    /// Error returned when a field has another form.
    #[error("`{field}` {what}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What is expected.
        what: &'static str,
    },
}

impl Metadata {
    /// Version of the layout.
    pub const VERSION: u32 = 1;
    /// Maximum length of a document, bytes.
    pub const MAX_BYTES: usize = 16 * 1_024;
    const MAX_LINKS: usize = 8;
    const MAX_PROVENANCE: usize = 32;

    /// Reads a document.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read(json: &[u8]) -> Result<Self, MetadataError> {
        let read: Self = serde_json::from_slice(json)
            .map_err(|error| MetadataError::Malformed(error.to_string()))?;
        read.check()?;
        Ok(read)
    }

    /// Checks the fields' forms.
    ///
    /// # Errors
    /// [`MetadataError::Field`].
    pub fn check(&self) -> Result<(), MetadataError> {
        let is_word = |text: &str| {
            let is_snake =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            (1..=64).contains(&text.len()) && text.bytes().all(is_snake)
        };
        let is_link = |text: &String| {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"'`\\".contains(&byte);
            text.starts_with("https://") && text.len() <= 200 && text.bytes().all(is_plain)
        };
        let provenance = self.provenance.iter();
        let mut provenance = provenance.map(|(name, text)| is_word(name) && text.len() <= 500);
        for (holds, field, what) in [
            (self.motif == Self::VERSION, "motif", "must be 1"),
            (self.title.len() <= 64, "title", "must have at most 64 bytes"),
            (self.description.len() <= 2_000, "description", "must have at most 2000 bytes"),
            (self.creator.len() <= 100, "creator", "must have at most 100 bytes"),
            (self.links.len() <= Self::MAX_LINKS, "links", "must be at most 8"),
            (self.links.iter().all(is_link), "links", "must be https URLs of at most 200 bytes"),
            (
                self.provenance.len() <= Self::MAX_PROVENANCE,
                "provenance",
                "must have at most 32 fields",
            ),
            (
                provenance.all(|holds| holds),
                "provenance",
                "must have names in snake case, and texts of at most 500 bytes",
            ),
        ] {
            if !holds {
                return Err(MetadataError::Field { field, what });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_documents_are_rejected() {
        assert!(Metadata::read(br#"{"motif":1,"title":"Coffee"}"#).is_ok());
        let long = format!(r#"{{"motif":1,"title":"{}"}}"#, "t".repeat(65));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"motif":2}"#,
            r#"{"motif":1,"script":"x"}"#,
            r#"{"motif":1,"title":7}"#,
            &long,
            r#"{"motif":1,"links":["javascript:alert(1)"]}"#,
            r#"{"motif":1,"links":["https://a.example/\"><script>"]}"#,
            r#"{"motif":1,"preview":"xyz"}"#,
            r#"{"motif":1,"provenance":{"Bad Name":"x"}}"#,
        ] {
            assert!(Metadata::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
