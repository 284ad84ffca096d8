//! The machine against a small gateway in memory, which can lose vouchers.
#![allow(clippy::unwrap_used, reason = "tests panic at an unexpected error")]

mod budgets;
mod gateway;
mod losses;
mod recovery;
mod refusals;
