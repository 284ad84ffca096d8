//! The gateway over HTTP, on a chain that does what a test tells it to.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod administering;
mod api_keys;
mod batching;
mod clocks;
mod crashing;
mod credentials;
mod exposing;
mod failing_disk;
mod fetching;
mod free_riding;
#[path = "../free_riding/mod.rs"]
mod game;
mod holding;
mod hostile_gateway;
mod idempotency;
mod journalling;
mod killing;
mod layering;
mod limits;
mod lying;
mod measuring;
#[path = "../../examples/model_server/server.rs"]
mod model_server;
mod moving;
mod nodes;
mod observing;
mod openapi;
#[path = "../../examples/model_server/painting.rs"]
mod painting;
mod paying_by_proof;
mod problems;
mod quoting;
mod racing;
mod random_riding;
mod recognising;
mod reporting;
mod restarting;
mod rolling_back;
mod schemathesis;
mod secrets;
mod selling;
mod settling;
mod sharing;
mod signing;
mod sold;
mod stopping;
mod streaming;
mod traces;
mod unpaid_answers;
mod works;
mod world;
