//! Tests of the embedded network through its public interface.
#![allow(clippy::unwrap_used, reason = "a test fails at an unexpected error")]

mod kit;
mod lifecycle;
mod rpc;
