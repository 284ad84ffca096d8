//! The gateway as a child process, to kill it or to make its disk fail.

pub mod child;
pub mod payers;
pub mod rounds;
