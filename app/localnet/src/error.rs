use std::time::Duration;

use solana_pubkey::Pubkey;
use solana_rpc_client_api::client_error::Error as ClientError;

use crate::faucet::FaucetError;

/// Why a localnet did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum LocalnetError {
    /// Somebody else listens there.
    #[error("port {0} is taken; choose another, or none to get a free one")]
    PortTaken(u16),
    /// Very many localnets, or something else holds the whole range.
    #[error("no two neighbouring ports are free between {first} and {last}")]
    NoFreePorts {
        /// First port tried.
        first: u16,
        /// Last port tried.
        last: u16,
    },
    /// The file is no SBF program this runtime accepts.
    #[error("the bytecode for program {id} does not load: {reason}")]
    BadProgram {
        /// Address it was meant for.
        id: Pubkey,
        /// What the loader says.
        reason: String,
    },
    /// The network inside ended or refused to begin.
    #[error("the localnet did not start: {0}")]
    NotStarted(String),
    /// Nothing happened, twice. A machine with more to do than it can is the usual reason.
    #[error("the localnet was not up {0:?} after starting, twice; is the machine overloaded?")]
    StartTimedOut(Duration),
    /// It was told to stop; its threads or sockets may still be there.
    #[error("the localnet had not stopped after {0:?}")]
    StopTimedOut(Duration),
    /// The test dollar could not be set up.
    #[error("the test dollar could not be created")]
    Faucet(#[from] FaucetError),
    /// The localnet did not answer, or answered with an error.
    #[error("{doing} failed: {source}")]
    Rpc {
        /// What was being asked for.
        doing: &'static str,
        /// What the client says.
        source: Box<ClientError>,
    },
    /// The Clock sysvar is not what a cluster has.
    #[error("the Clock sysvar cannot be read")]
    NoClock,
}
