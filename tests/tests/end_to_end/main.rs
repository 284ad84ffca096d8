//! Tests across crates: a localnet, the SDK, formats, decoders, documents and committed files.
#![allow(clippy::unwrap_used, reason = "a test fails at an unexpected error")]

mod artifacts;
mod decoders;
mod docs;
mod golden;
mod journeys;
mod second_implementation;
mod works;
