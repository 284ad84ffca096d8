//! What puts a gateway under load: connections that cost little, vouchers signed beforehand,
//! and what the machine says about it.

mod chains;
mod connection;
mod machine;

pub use chains::{Chain, chains, open};
pub use connection::Connection;
pub use machine::{one_fsync, resident_bytes};
