use std::fmt::Display;

use serde::Serialize;
use serde_json::{Map, Value};

/// Error of a call: `{"type", "message", ...}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallError {
    /// Type, in kebab case.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Message: what is wrong, and what was expected.
    pub message: String,
    /// Further fields of the type.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl CallError {
    /// Creates an error without further fields.
    pub fn new(kind: &'static str, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), fields: Map::new() }
    }

    /// Creates the error of a call with an unknown name or malformed arguments.
    pub fn invalid_call(message: impl Display) -> Self {
        Self::new("invalid-call", message)
    }

    /// Creates the error of a text or of bytes that cannot be parsed.
    pub fn invalid_input(message: impl Display) -> Self {
        Self::new("invalid-input", message)
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // These are structures of texts and numbers: writing them does not fail.
        let value = serde_json::to_value(value).unwrap_or_default();
        self.fields.insert(name.to_owned(), value);
        self
    }
}
