//! The store through its public interface, in a file.
#![allow(clippy::unwrap_used, reason = "a test stops at an unexpected result")]

mod events;
mod files;
mod lookup;
mod recovery;
mod replay;
mod sales;
mod signer;
mod work_usage;
mod world;
