//! A paywall with a payment engine of one channel in memory.
#![allow(clippy::unwrap_used, reason = "a test fails at an unexpected result")]

mod answers;
mod engine;
mod offers;
mod refusals;
mod releases;
mod sales;
mod shop;
mod streams;
