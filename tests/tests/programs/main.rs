//! Tests of the two programs on their committed bytecode, in LiteSVM and in Agave's runtime.
#![allow(clippy::unwrap_used, reason = "a test fails at an unexpected error")]

mod attacks;
mod costs;
mod deployment;
mod large_transactions;
mod licensing;
mod matrix;
mod payments;
mod runtime;
mod states;
