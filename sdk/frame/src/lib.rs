//! Calls of Motif's WebAssembly modules.
//!
//! A frame is the length of a JSON text (4 bytes, little-endian), the text, and raw bytes to its end. A call
//! is a frame whose JSON is an object with the call's name, `call`, beside its arguments. An answer is a frame
//! whose JSON is `{"ok": result}` or `{"error": {"type", "message", ...}}`.
//!
//! ```
//! use motif_frame::{Answer, Call, CallError, answer, frame, read};
//!
//! fn length(_: &mut (), call: Call) -> Result<Answer, CallError> {
//!     let length = call.raw.len();
//!     call.arguments::<motif_frame::Nothing>()?;
//!     Ok(Answer::of(&length))
//! }
//!
//! let input = frame(r#"{"call": "length"}"#, b"abc");
//! let output = answer(&mut (), &[&[("length", length)]], &input);
//! assert_eq!(read(&output), Some((r#"{"ok":3}"#, &b""[..])));
//! ```

mod error;
mod exports;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, json};

pub use error::CallError;
pub use exports::{allocate, give, release, take};

/// Deserializes the arguments of a [`Call`] into variables of their names. Returns `invalid-call` if one is
/// missing, malformed or unknown. The crate that uses it depends on `serde`.
///
/// `arguments!(call, { work: Address, number: u32 });`
#[macro_export]
macro_rules! arguments {
    ($call:ident, { $($(#[$attribute:meta])* $name:ident: $type:ty),* $(,)? }) => {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Arguments {
            #[serde(rename = "call")]
            _call: serde::de::IgnoredAny,
            $($(#[$attribute])* $name: $type,)*
        }
        let Arguments { $($name,)* .. } = $call.arguments()?;
    };
}

/// Bytes before the JSON.
const HEAD_BYTES: usize = 4;

/// Call of a module.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    json: &'a str,
    /// Raw bytes.
    pub raw: &'a [u8],
}

/// Result of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// JSON.
    pub json: Value,
    /// Raw bytes.
    pub raw: Vec<u8>,
}

/// Arguments of a call that takes none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {
    #[serde(rename = "call")]
    _call: IgnoredAny,
}

/// Function of a call. `S` is the module's state.
pub type Handler<S> = fn(&mut S, Call) -> Result<Answer, CallError>;

impl Call<'_> {
    /// Deserializes the arguments.
    ///
    /// # Errors
    /// An error of the type `invalid-call`, with what was expected.
    pub fn arguments<T: DeserializeOwned>(self) -> Result<T, CallError> {
        serde_json::from_str(self.json).map_err(CallError::invalid_call)
    }
}

impl Answer {
    /// Creates an answer without raw bytes.
    pub fn of(json: &impl Serialize) -> Self {
        // These are structures of texts and numbers: writing them does not fail.
        Self { json: serde_json::to_value(json).unwrap_or_default(), raw: Vec::new() }
    }

    /// Creates the answer `{}`.
    pub fn empty() -> Self {
        Self { json: json!({}), raw: Vec::new() }
    }

    /// Sets the raw bytes. Default: none.
    #[must_use]
    pub fn with_raw(self, raw: Vec<u8>) -> Self {
        Self { raw, ..self }
    }
}

/// Executes the call in a frame with one of `calls`; returns the frame of its answer.
pub fn answer<S>(state: &mut S, calls: &[&[(&str, Handler<S>)]], input: &[u8]) -> Vec<u8> {
    match execute(state, calls, input) {
        Ok(answer) => frame(&json!({ "ok": answer.json }).to_string(), &answer.raw),
        Err(error) => frame(&json!({ "error": error }).to_string(), &[]),
    }
}

fn execute<S>(
    state: &mut S,
    calls: &[&[(&str, Handler<S>)]],
    input: &[u8],
) -> Result<Answer, CallError> {
    #[derive(Deserialize)]
    struct Named {
        call: String,
    }
    let expected = "expected a frame: the JSON's length (4 bytes, little-endian), JSON, raw bytes";
    let (json, raw) = read(input).ok_or_else(|| CallError::invalid_call(expected))?;
    let Named { call: name } = serde_json::from_str(json).map_err(CallError::invalid_call)?;
    let handler = calls.iter().copied().flatten().find(|(known, _)| *known == name);
    let unknown = || CallError::invalid_call(format!("unknown call `{name}`"));
    let (_, handler) = handler.ok_or_else(unknown)?;
    handler(state, Call { json, raw })
}

/// Creates a frame.
pub fn frame(json: &str, raw: &[u8]) -> Vec<u8> {
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(HEAD_BYTES + json.len() + raw.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(json.as_bytes());
    frame.extend_from_slice(raw);
    frame
}

/// Returns the JSON and the raw bytes of a frame; `None` if it is malformed.
pub fn read(frame: &[u8]) -> Option<(&str, &[u8])> {
    let (head, rest) = frame.split_first_chunk::<HEAD_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*head)).ok()?;
    let (json, raw) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(json).ok()?, raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(total: &mut u64, call: Call) -> Result<Answer, CallError> {
        let raw = call.raw.to_vec();
        arguments!(call, { add: u64 });
        *total += add;
        Ok(Answer::of(&*total).with_raw(raw))
    }

    fn called(json: &str) -> (String, Vec<u8>) {
        let output = answer(&mut 1, &[&[("sum", sum)]], &frame(json, &[7]));
        let (json, raw) = read(&output).unwrap();
        (json.to_owned(), raw.to_vec())
    }

    #[test]
    fn call_returns_json_and_bytes() {
        assert_eq!(called(r#"{"call":"sum","add":2}"#), (r#"{"ok":3}"#.to_owned(), vec![7]));
    }

    #[test]
    fn invalid_call_says_what_is_wrong() {
        for (json, expected) in [
            ("[]", "invalid length 0"),
            ("{", "EOF"),
            (r#"{"call":1}"#, "expected a string"),
            (r#"{"call":"other"}"#, "unknown call `other`"),
            (r#"{"call":"sum"}"#, "missing field `add`"),
            (r#"{"call":"sum","add":-1}"#, "expected u64"),
            (r#"{"call":"sum","add":1,"add":1}"#, "duplicate field `add`"),
            (r#"{"call":"sum","add":1,"more":1}"#, "unknown field `more`"),
        ] {
            let (answer, raw) = called(json);
            assert!(answer.starts_with(r#"{"error":{"#), "{answer}");
            assert!(answer.contains(r#""type":"invalid-call""#), "{answer}");
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains(expected), "{message}");
            assert!(raw.is_empty());
        }
    }

    #[test]
    fn malformed_frame_is_rejected() {
        for wrong in [&b""[..], &[0, 0, 0], &[2, 0, 0, 0, b'{'], &[1, 0, 0, 0, 0xFF]] {
            assert_eq!(read(wrong), None);
            let output = answer(&mut (), &[], wrong);
            assert!(read(&output).unwrap().0.contains("expected a frame"));
        }
    }
}
