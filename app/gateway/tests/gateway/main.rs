//! The gateway over HTTP, on a chain that does what a test tells it to.

mod idempotency;
mod measuring;
mod openapi;
mod problems;
mod quoting;
mod racing;
mod restarting;
mod settling;
mod world;
