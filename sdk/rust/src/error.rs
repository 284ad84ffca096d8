use std::path::PathBuf;

use solana_pubkey::Pubkey;
use solana_rpc_client_api::client_error::Error as ClientError;
use solana_signature::Signature;
use solana_signer::SignerError;

use crate::client::{TransportError, Unsignable};

/// Errors of calls to a Solana cluster, by what the caller can do about them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Error returned when the cluster rejects a transaction. Nothing changed, and the same
    /// transaction will be rejected again.
    #[error("transaction rejected: {0}")]
    Rejected(Box<Refusal>),
    /// Error returned when a transaction was sent and was not confirmed before its blockhash
    /// expired. Its outcome is unknown: look up the signature before sending a similar one.
    #[error("transaction {signature} was sent and is not confirmed: its outcome is unknown")]
    Unconfirmed {
        /// The transaction's signature.
        signature: Signature,
    },
    /// Error returned when the RPC node cannot be reached, fails for longer than a request is repeated,
    /// or responds with an error. Nothing was sent. Whether an account exists is unknown.
    #[error("the Solana node failed: {0}")]
    Transport(#[from] TransportError),
    /// Error returned when a signer does not sign. Nothing was sent.
    #[error("cannot sign the transaction")]
    Signer(#[from] SignerError),
    /// Error returned when an account does not exist or has another type.
    #[error("no {kind} at {address}")]
    NotFound {
        /// Type of the account.
        kind: &'static str,
        /// Address of the account.
        address: Pubkey,
    },
    /// Error returned when a share, a fee or a claim would go to an address that cannot sign, so that
    /// no key could spend it. Nothing was sent. See [`Client::allow_unsignable`].
    ///
    /// [`Client::allow_unsignable`]: crate::client::Client::allow_unsignable
    #[error("{address} is {what}: no key signs for it, so what it is paid could not be spent")]
    Unsignable {
        /// The address.
        address: Pubkey,
        /// What is there.
        what: Unsignable,
    },
    /// Error returned when a local file cannot be read, written or parsed.
    #[error("{}: {source}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Cause. It contains no bytes of the file.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Rejection of a transaction by a program or the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Error code of the program; `None` if the runtime rejected the transaction.
    pub code: Option<u32>,
    /// Name of the error, such as `PriceAboveMaximum`, if the program logged it.
    pub name: Option<String>,
    /// Message of the program or the runtime.
    pub message: String,
    /// Log of the transaction.
    pub logs: Vec<String>,
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Transport(error.into())
    }
}

#[cfg(feature = "credentials")]
impl From<motif_credentials::IdentityFileError> for Error {
    fn from(error: motif_credentials::IdentityFileError) -> Self {
        Self::File { path: error.path, source: error.source }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.name, self.code) {
            (Some(name), Some(code)) => write!(formatter, "{} ({name}, {code})", self.message),
            _ => formatter.write_str(&self.message),
        }
    }
}
