use crate::{
    error::StoreError,
    expense::{Expense, ExpenseKind, ExpenseSum},
    sql::{Connection, Pool, Row, integer, query},
};

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
pub async fn expense_sums(from: &Pool) -> Result<Vec<ExpenseSum>, StoreError> {
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
    rows.all(from).await?.iter().map(read).collect()
}
