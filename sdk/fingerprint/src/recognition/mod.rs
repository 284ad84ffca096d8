//! Which registered works content is, or is like.
//!
//! - [`Registered`]: what of a work's account it takes to recognise it.
//! - [`Index`]: all of them, found by digest at once and by fingerprint in bounded time.
//! - [`snapshot`]: an index in a file.

mod bucket;
mod hamming_index;
mod index;
mod registered;
pub mod snapshot;

pub use index::{Found, Index, Merged, Recognised};
pub use registered::Registered;
