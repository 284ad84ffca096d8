//! Calls of Motif's WebAssembly modules.
//!
//! A frame is the length of a JSON text (4 bytes, little-endian), the text, and raw bytes to its end. A call
//! is a frame whose JSON is an object with the call's name, `call`, beside its arguments. An answer is a frame
//! whose JSON is `{"ok": result}` or `{"error": {"type", "message", ...}}`.
//!
//! ```
//! use motif_frame::{Answer, Call, CallError, answer, arguments, frame, read};
//!
//! fn length(_: &mut (), call: Call) -> Result<Answer, CallError> {
//!     arguments!(call, { more: usize = 0 });
//!     Ok(Answer::of(&(call.raw.len() + more)))
//! }
//!
//! let input = frame(r#"{"call": "length", "more": 4}"#, b"abc");
//! let output = answer(&mut (), &[&[("length", length)]], &input);
//! assert_eq!(read(&output), Some((r#"{"ok":7}"#, &b""[..])));
//! ```

mod arguments;
mod error;
mod exports;

use motif_json::{Field, Json, object};

pub use arguments::Arguments;
pub use error::CallError;
pub use exports::{allocate, give, release, take};

/// Bytes before the JSON.
const HEAD_BYTES: usize = 4;

/// Call of a module.
#[derive(Debug)]
pub struct Call<'a, 't> {
    /// Arguments; [`arguments!`] reads them.
    pub arguments: &'a mut Arguments<'t>,
    /// Raw bytes.
    pub raw: &'a [u8],
}

/// Result of a call.
#[derive(Clone, Debug)]
pub struct Answer {
    /// JSON.
    pub json: Json,
    /// Raw bytes.
    pub raw: Vec<u8>,
}

/// Function of a call. `S` is the module's state.
pub type Handler<S> = fn(&mut S, Call) -> Result<Answer, CallError>;

impl Answer {
    /// Creates an answer without raw bytes.
    pub fn of(json: &dyn Field) -> Self {
        Self { json: Json::of(json), raw: Vec::new() }
    }

    /// Creates the answer `{}`.
    pub fn empty() -> Self {
        Self { json: object! {}, raw: Vec::new() }
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
        Ok(answer) => write_frame(object! { "ok": answer.json }.as_bytes(), &answer.raw),
        Err(error) => write_frame(object! { "error": error }.as_bytes(), &[]),
    }
}

fn execute<S>(
    state: &mut S,
    calls: &[&[(&str, Handler<S>)]],
    input: &[u8],
) -> Result<Answer, CallError> {
    let expected = "expected a frame: the JSON's length (4 bytes, little-endian), JSON, raw bytes";
    let (json, raw) = read(input).ok_or_else(|| CallError::invalid_call(expected))?;
    let mut arguments = Arguments::parse(json)?;
    let name: String = arguments.take("call")?;
    let handler = calls.iter().copied().flatten().find(|(known, _)| *known == name);
    let unknown = || CallError::invalid_call(format!("unknown call `{name}`"));
    let (_, handler) = handler.ok_or_else(unknown)?;
    handler(state, Call { arguments: &mut arguments, raw })
}

/// Creates a frame.
pub fn frame(json: &str, raw: &[u8]) -> Vec<u8> {
    write_frame(json.as_bytes(), raw)
}

fn write_frame(json: &[u8], raw: &[u8]) -> Vec<u8> {
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(HEAD_BYTES + json.len() + raw.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(json);
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
    use serde_json::Value;

    use super::*;

    fn sum(total: &mut u64, call: Call) -> Result<Answer, CallError> {
        arguments!(call, { add: u64, twice: bool = false, also("use"): Option<u64> });
        *total += add * (1 + u64::from(twice)) + also.unwrap_or(0);
        Ok(Answer::of(&*total).with_raw(call.raw.to_vec()))
    }

    fn called(json: &str) -> (String, Vec<u8>) {
        let output = answer(&mut 1, &[&[("sum", sum)]], &frame(json, &[7]));
        let (json, raw) = read(&output).unwrap();
        (json.to_owned(), raw.to_vec())
    }

    #[test]
    fn call_returns_json_and_bytes() {
        let ok = |json: &str| (json.to_owned(), vec![7]);
        assert_eq!(called(r#"{"call":"sum","add":2}"#), ok(r#"{"ok":3}"#));
        let all = r#"{"call":"sum","add":2,"twice":true,"use":5}"#;
        assert_eq!(called(all), ok(r#"{"ok":10}"#));
        assert_eq!(called(r#"{"call":"sum","add":2,"use":null}"#), ok(r#"{"ok":3}"#));
    }

    #[test]
    fn invalid_call_says_what_is_wrong() {
        for (json, expected) in [
            ("[]", "expected an object of arguments"),
            ("{", "invalid JSON at byte 1"),
            ("{}", "missing `call`"),
            (r#"{"call":1}"#, "invalid `call`: invalid type"),
            (r#"{"call":"other"}"#, "unknown call `other`"),
            (r#"{"call":"sum"}"#, "missing `add`"),
            (r#"{"call":"sum","add":null}"#, "invalid `add`"),
            (r#"{"call":"sum","add":-1}"#, "expected u64"),
            (r#"{"call":"sum","add":1,"more":1}"#, "unknown argument `more`"),
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
