//! The gateway over HTTP, on a scripted chain.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod admin;
mod api_keys;
mod batches;
mod clocks;
mod crashing;
mod credentials;
mod dishonest_paywall;
mod exposure;
mod failing_disk;
mod fetch;
mod free_riding;
#[path = "../free_riding/mod.rs"]
mod game;
mod hold_races;
mod holds;
mod hostile_gateway;
mod idempotency;
mod journal;
mod kill;
mod layer;
mod limits;
#[path = "../../examples/model_server/server.rs"]
mod model_server;
mod nodes;
mod observability;
mod openapi;
mod payer_requests;
#[path = "../../examples/model_server/picture.rs"]
mod picture;
mod problems;
mod quotes;
mod races;
mod random_payer;
mod recognition;
mod reports;
mod restart;
mod rollback;
mod sales;
mod schemathesis;
mod secrets;
mod settlement;
mod shared_store;
mod shutdown;
mod signatures;
mod sold;
mod streams;
mod takeover;
mod throughput;
mod traces;
mod unpaid_answers;
mod withdrawals;
mod works;
mod world;
