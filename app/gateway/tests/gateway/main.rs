//! The gateway over HTTP, on a chain that does what a test tells it to.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod administering;
mod api_keys;
mod batching;
mod crashing;
mod exposing;
mod failing_disk;
mod holding;
mod idempotency;
mod killing;
mod limits;
mod measuring;
mod migrating;
mod observing;
mod openapi;
mod paying_by_proof;
mod problems;
mod quoting;
mod racing;
mod recognising;
mod reporting;
mod restarting;
mod secrets;
mod settling;
mod sharing;
mod works;
mod world;
