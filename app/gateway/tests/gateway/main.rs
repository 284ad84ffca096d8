//! The gateway over HTTP, on a chain that does what a test tells it to.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod idempotency;
mod measuring;
mod openapi;
mod problems;
mod quoting;
mod racing;
mod restarting;
mod settling;
mod works;
mod world;
