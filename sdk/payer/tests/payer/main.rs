//! The machine against a small gateway in memory, which can lose vouchers.
#![allow(clippy::unwrap_used, reason = "tests panic at an unexpected error")]

mod budgets;
#[allow(dead_code, reason = "shared with the tests of motif-core")]
mod gateway;
mod losses;
mod recovery;
mod refusals;
