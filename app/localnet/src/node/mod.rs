//! The network: a chain on LiteSVM and its two servers, on one thread.

pub mod artifacts;

mod blockhashes;
mod chain;
mod config;
mod ledger;
mod localnet;
mod memo;
mod ports;
mod program;
mod rpc;
mod server;
mod subscriptions;
mod tokens;

pub use chain::SLOT;
pub use config::LocalnetConfig;
pub use localnet::Localnet;
pub use program::Program;
