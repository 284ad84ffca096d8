//! The gateway as a process of its own, which is killed, or whose disk fails.

pub mod child;
pub mod payers;
pub mod rounds;
