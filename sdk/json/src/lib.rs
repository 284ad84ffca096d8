//! JSON with little code for each type, for WebAssembly modules.
//!
//! [`from_slice`] parses a text into a tree. A structure gets its fields by name, in its own order, as a sequence: of what
//! `serde` derives, nothing but that remains. So an `Option` may be missing only if it has `#[serde(default)]`, and whether
//! unknown fields are refused is the caller's choice, not the type's. [`object!`] writes an object from a list of fields.
//!
//! ```
//! use motif_json::{from_slice, object};
//!
//! let read: (u64, Option<bool>) = from_slice(b"[18446744073709551615, null]").expect("a pair");
//! let written = object! { "number": read.0, "inner": object! { "flag": read.1 } };
//! assert_eq!(written.as_bytes(), br#"{"number":18446744073709551615,"inner":{"flag":null}}"#);
//! ```

mod parser;
mod reader;
mod tree;
mod writer;

pub use reader::{Error, Foreign, from_node, from_slice, parse};
pub use tree::{Node, Object};
pub use writer::{Field, Json};
