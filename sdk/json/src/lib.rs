//! JSON with little code for each type, for WebAssembly modules.
//!
//! [`from_slice`] parses a text into a tree, from which a type takes its fields: of what `serde` derives, only the reading of
//! fields by name remains. Of fields of the same name the last one counts. [`object!`] writes an object from a list of
//! fields.
//!
//! ```
//! use motif_json::{from_slice, object};
//!
//! let read: (u64, Option<bool>) = from_slice(b"[18446744073709551615, null]").expect("a pair");
//! let written = object! { "number": read.0, "inner": object! { "flag": read.1 } };
//! assert_eq!(written.as_bytes(), br#"{"number":18446744073709551615,"inner":{"flag":null}}"#);
//! ```

mod reader;
mod writer;

pub use reader::{Error, from_slice, from_value, object_in};
pub use writer::{Field, Json};
