//! Index of registered works, by content digest and fingerprint.
//!
//! - [`Registered`]: index entry of a work.
//! - [`Index`]: all entries, searched by digest and by fingerprint.
//! - [`snapshot`]: file format of the entries.

mod bucket;
mod hamming_index;
mod index;
mod registered;
pub mod snapshot;

pub use index::{Found, Index, Merged, Recognised};
pub use registered::Registered;
