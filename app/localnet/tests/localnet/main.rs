//! The embedded network as its clients see it.
#![allow(clippy::unwrap_used, reason = "a test fails at an unexpected error")]

mod kit;
mod lifecycle;
mod rpc;
