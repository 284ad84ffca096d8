use crate::{
    error::StoreError,
    sql::{Connection, Row, integer, query},
    tables::Tables,
};

/// Why the operator paid for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExpenseKind {
    /// A statement was settled.
    Settle,
    /// A channel was closed.
    Close,
    /// Fees were claimed.
    Claim,
}

/// Lamports paid for a confirmed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expense {
    /// The transaction.
    pub signature: [u8; 64],
    /// Why it was sent.
    pub kind: ExpenseKind,
    /// Its fee, lamports.
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
    pub const ALL: [Self; 3] = [Self::Settle, Self::Close, Self::Claim];

    /// Returns the name of the kind: `settle`, `close` or `claim`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::Close => "close",
            Self::Claim => "claim",
        }
    }
}

/// Inserts an expense, unless its transaction is counted.
pub async fn insert_expense(expense: &Expense, to: &mut Connection) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO expenses (signature, kind, lamports, spent_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (signature) DO NOTHING",
    )
    .bind(&expense.signature[..])
    .bind(expense.kind.as_str())
    .bind(integer(expense.lamports))
    .bind(expense.spent_at)
    .execute(to)
    .await
    .map(drop)
}

/// Returns the sum of the expenses of each kind that has any.
pub async fn expense_sums(tables: &Tables) -> Result<Vec<ExpenseSum>, StoreError> {
    let rows = query(
        "SELECT kind, COUNT(*) AS transactions, CAST(SUM(lamports) AS BIGINT) AS lamports \
         FROM expenses GROUP BY kind ORDER BY kind",
    );
    let read = |row: &Row| {
        let name: String = row.get("kind")?;
        let kind = ExpenseKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        let kind = kind.ok_or_else(|| StoreError::Corrupt(format!("expense of kind {name}")))?;
        let (transactions, lamports) = (row.integer("transactions")?, row.integer("lamports")?);
        Ok(ExpenseSum { kind, transactions, lamports })
    };
    rows.all(tables.current()).await?.iter().map(read).collect()
}
