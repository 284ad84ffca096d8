//! Load generator: cheap connections, vouchers signed beforehand,
//! and measurements of the machine.

mod chains;
mod connection;
mod machine;

pub use chains::{Chain, chains, open};
pub use connection::Connection;
pub use machine::{one_fsync, resident_bytes};
