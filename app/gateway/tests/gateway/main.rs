//! The gateway over HTTP, on a chain that does what a test tells it to.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod administering;
mod api_keys;
mod batching;
mod clocks;
mod crashing;
mod exposing;
mod failing_disk;
mod fetching;
mod free_riding;
#[path = "../free_riding/mod.rs"]
mod game;
mod holding;
mod hostile_gateway;
mod idempotency;
mod killing;
mod limits;
mod measuring;
mod migrating;
mod nodes;
mod observing;
mod openapi;
mod paying_by_proof;
mod problems;
mod quoting;
mod racing;
mod reporting;
mod restarting;
mod rolling_back;
mod schemathesis;
mod secrets;
mod settling;
mod sharing;
mod signing;
mod works;
mod world;
