//! The committed module against the native crate: every call returns the same JSON and bytes.
//!
//! `MOTIF_CASES` sets the number of random documents, prices and steps of a payer; the defaults suit a run of
//! the whole workspace.
#![allow(clippy::unwrap_used, reason = "tests panic at an unexpected error")]

mod accounts;
#[path = "../../../payer/tests/payer/gateway.rs"]
#[allow(dead_code, reason = "its payer is driven through calls here")]
mod gateway;
mod golden;
mod instructions;
mod module;
mod payers;
mod paywalls;
mod prices;
mod random;
mod terms;
