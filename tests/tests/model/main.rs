//! Random calls and histories, compared with the reference model of both programs.
#![allow(clippy::unwrap_used, reason = "a test fails at an unexpected error")]

mod fuzz;
mod histories;
