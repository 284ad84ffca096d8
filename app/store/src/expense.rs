/// Why the operator paid for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExpenseKind {
    /// A statement was settled.
    Settle,
    /// A channel was closed.
    Close,
    /// Fees were claimed.
    Claim,
    /// A payment to a till landed or failed on chain.
    Sale,
    /// A creator's transaction was paid for: its fee, and rent.
    Sponsorship,
}

/// Lamports paid for a confirmed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expense {
    /// The transaction.
    pub signature: [u8; 64],
    /// Why it was sent.
    pub kind: ExpenseKind,
    /// Its fee, lamports, and what it transferred of the operator's.
    pub lamports: u64,
    /// Unix seconds.
    pub spent_at: i64,
}

/// Sum of all expenses of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpenseSum {
    /// The kind.
    pub kind: ExpenseKind,
    /// Number of transactions.
    pub transactions: u64,
    /// Sum of their fees, lamports.
    pub lamports: u64,
}

impl ExpenseKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Settle, Self::Close, Self::Claim, Self::Sale, Self::Sponsorship];

    /// Returns the name of the kind: `settle`, `close`, `claim`, `sale` or `sponsorship`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::Close => "close",
            Self::Claim => "claim",
            Self::Sale => "sale",
            Self::Sponsorship => "sponsorship",
        }
    }
}
