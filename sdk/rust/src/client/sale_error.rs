use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::Error;

/// Error returned when a sale cannot be made or does not verify.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// The cluster cannot be read, or an account does not exist.
    #[error(transparent)]
    Client(#[from] Error),
    /// A work's terms do not sell this use to any payer.
    #[error("{work} is not sold this way: {reason}")]
    NotSold {
        /// The work.
        work: Pubkey,
        /// What prevents it.
        reason: &'static str,
    },
    /// The price exceeds 2^64 - 1 base units.
    #[error("the price is too large")]
    PriceOverflow,
    /// The transaction was not sent, failed, has no time, or cannot be read.
    #[error("the sale is unpaid: {signature} is not a confirmed transaction")]
    NotConfirmed {
        /// Signature of the transaction.
        signature: Signature,
    },
    /// The acceptance is for another till, cluster or operator than the sale.
    #[error("the acceptance is for another {0}")]
    OtherAcceptance(&'static str),
    /// The transaction has no memo of this acceptance, or more than one memo.
    #[error("the payment's memo does not commit to this acceptance")]
    MemoMismatch,
    /// The transaction transfers to the till more than once: it has no one buyer.
    #[error("the transaction makes {0} transfers to the till: expected one")]
    SeveralTransfers(usize),
    /// The transaction pays the till too little.
    #[error("the till was paid {paid} base units: expected at least {expected}")]
    Unpaid {
        /// Base units that arrived.
        paid: u64,
        /// Base units of the acceptance.
        expected: u64,
    },
    /// The payment arrived after the acceptance had ended.
    #[error("the payment arrived after {0}, the acceptance's last second")]
    Late(i64),
    /// The terms differ from those that were accepted, or were outdated at the payment.
    #[error("the terms of {0} are not those of the acceptance, or were outdated")]
    TermsMismatch(Pubkey),
    /// An arbiter's verdict voided the terms. No account states when, so a payment before it
    /// cannot be told from one after it.
    #[error("the terms of {0} were voided by a verdict")]
    VoidedTerms(Pubkey),
    /// The till's operator is not registered, so the till cannot be opened.
    #[error("operator {0} is not registered: its till cannot be opened")]
    UnregisteredOperator(Pubkey),
}
