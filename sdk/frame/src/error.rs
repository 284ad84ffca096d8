use std::fmt::Display;

use motif_json::{Field, Json, json, object};
use serde::{Serialize, Serializer};

/// Error of a call: `{"type", "message", ...}`.
#[derive(Clone, Debug)]
pub struct CallError {
    /// Type, in kebab case.
    pub kind: &'static str,
    /// Message: what is wrong, and what was expected.
    pub message: String,
    /// Further fields of the type.
    pub fields: Vec<(&'static str, Json)>,
}

impl CallError {
    /// Creates an error without further fields.
    pub fn new(kind: &'static str, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), fields: Vec::new() }
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
    pub fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.fields.push((name, json(&value)));
        self
    }
}

impl Serialize for CallError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields: Vec<(&str, &dyn Field)> =
            vec![("type", &self.kind), ("message", &self.message)];
        fields.extend(self.fields.iter().map(|(name, value)| (*name, value as &dyn Field)));
        object(&fields).serialize(serializer)
    }
}
