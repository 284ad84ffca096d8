//! Accounts of variable length, borrowed from a transaction.

mod channel;
mod earnings;
mod statement_buffer;

pub use channel::*;
pub use earnings::*;
pub use statement_buffer::*;
