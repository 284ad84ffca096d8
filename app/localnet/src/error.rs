use std::io;

use solana_pubkey::Pubkey;
use solana_rpc_client_api::client_error::Error as ClientError;

use crate::faucet::FaucetError;

/// Errors of a localnet.
#[derive(Debug, thiserror::Error)]
pub enum LocalnetError {
    /// Error returned when a configured port is in use.
    #[error("port {0} is in use: expected a free port")]
    PortTaken(u16),
    /// Error returned when no pair of neighboring ports is free.
    #[error("no two neighboring ports are free between {first} and {last}")]
    NoFreePorts {
        /// First port tried.
        first: u16,
        /// Last port tried.
        last: u16,
    },
    /// Error returned when a file is not an SBF program that this runtime accepts.
    #[error("the bytecode of program {id} does not load: {reason}")]
    BadProgram {
        /// Address the program was configured for.
        id: Pubkey,
        /// The loader's message.
        reason: String,
    },
    /// Error returned when the operating system refuses a socket or a thread.
    #[error("the localnet did not start")]
    NotStarted(#[source] io::Error),
    /// Error returned when the localnet's thread panicked.
    #[error("the localnet's thread panicked")]
    Panicked,
    /// Error returned when the test dollar could not be created.
    #[error("the test dollar could not be created")]
    Faucet(#[from] FaucetError),
    /// Error returned when a request to a localnet failed.
    #[error("{request} failed: {source}")]
    Rpc {
        /// What was requested.
        request: &'static str,
        /// The client's error.
        source: Box<ClientError>,
    },
    /// Error returned when the Clock sysvar does not have a cluster's layout.
    #[error("the Clock sysvar cannot be read")]
    InvalidClock,
}
