//! What can go wrong between a caller and the chain, sorted by what the caller can do about it.

use solana_pubkey::Pubkey;
use solana_signature::Signature;

/// Why a call did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster refused the transaction; nothing changed, and repeating it as it is will
    /// be refused again.
    #[error("refused: {0}")]
    Rejected(Box<Refusal>),
    /// The outcome is unknown: the transaction was sent and was not seen to land before its
    /// blockhash expired from view. Look the signature up before sending anything like it.
    #[error("unconfirmed: transaction {signature} was sent and its outcome is unknown")]
    Unconfirmed {
        /// The transaction.
        signature: Signature,
    },
    /// The cluster could not be reached or answered nonsense; nothing was sent.
    #[error("transport: {0}")]
    Transport(String),
    /// There is no such account, or it is not what it should be.
    #[error("no {kind} at {address}")]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// Where.
        address: Pubkey,
    },
    /// The gateway refused or failed.
    #[error("gateway: {0}")]
    Gateway(String),
    /// A local file could not be read or understood.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A refusal in the programs' own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The program's error code, where a program refused.
    pub code: Option<u32>,
    /// The error's name, such as `PriceAboveMaximum`, where the program gave one.
    pub name: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
    /// The transaction's log.
    pub logs: Vec<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.name, self.code) {
            (Some(name), Some(code)) => write!(formatter, "{} ({name}, {code})", self.message),
            _ => formatter.write_str(&self.message),
        }
    }
}
