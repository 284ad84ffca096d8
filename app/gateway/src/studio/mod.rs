//! The studio: pages for browsers, embedded in the binary.

mod head;
mod pages;

pub use head::Head;
pub use pages::{index, page};
