//! The gateway over HTTP, on a chain that does what a test tells it to.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod administering;
mod api_keys;
mod batching;
mod crashing;
mod exposing;
mod failing_disk;
mod free_riding;
mod holding;
mod idempotency;
mod killing;
mod layering;
mod limits;
mod lying;
mod measuring;
mod migrating;
#[path = "../../examples/model_server/server.rs"]
mod model_server;
mod observing;
mod openapi;
#[path = "../../examples/model_server/painting.rs"]
mod painting;
mod paying_by_proof;
mod problems;
mod quoting;
mod racing;
mod random_riding;
mod reporting;
mod restarting;
mod secrets;
mod selling;
mod settling;
mod sharing;
mod streaming;
mod works;
mod world;
