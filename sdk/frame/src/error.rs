use std::fmt::Display;

use motif_json::{Field, Json, object};

/// Error of a call: `{"type", "message", ...}`.
#[derive(Clone, Debug)]
pub struct CallError(Box<Fields>);

/// Behind a pointer, so that a result is small.
#[derive(Clone, Debug)]
struct Fields {
    kind: &'static str,
    message: String,
    more: Vec<(&'static str, Json)>,
}

impl CallError {
    /// Creates an error without further fields: its type, in kebab case, and what is wrong and was expected.
    pub fn new(kind: &'static str, message: impl Display) -> Self {
        Self::of(kind, message.to_string())
    }

    fn of(kind: &'static str, message: String) -> Self {
        Self(Box::new(Fields { kind, message, more: Vec::new() }))
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
    pub fn with(mut self, name: &'static str, value: &dyn Field) -> Self {
        self.0.more.push((name, Json::of(value)));
        self
    }
}

impl Field for CallError {
    fn write(&self, text: &mut Vec<u8>) {
        let Fields { kind, message, more } = &*self.0;
        let mut error = object! { "type": kind, "message": message };
        for (name, value) in more {
            error.push(name, value);
        }
        error.write(text);
    }
}
