use std::sync::LazyLock;

use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::row::{Generation, integer};

/// How many rows one statement inserts: few sizes, so that all are prepared once. Each costs a
/// round trip to the thread that owns the connection, however many rows it has.
const SIZES: [usize; 4] = [64, 16, 4, 1];

static STATEMENTS: LazyLock<[String; 4]> = LazyLock::new(|| SIZES.map(statement));

fn statement(rows: usize) -> String {
    let row = format!("({})", ["?"; 21].join(", "));
    format!(
        "INSERT INTO generations (channel_id, statement, position, idempotency_key, body_digest, \
         licence, units, terms_number, amount, cumulative, work, request_digest, output_digest, \
         issued_at, receipt_signature, receipt_digest, voucher_expires_at, voucher_signature, \
         api_key, charged, part) \
         VALUES {}",
        vec![row; rows].join(", ")
    )
}

/// Inserts generations in their order.
pub(super) async fn insert_generations(
    generations: &[&Generation],
    to: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let mut rest = generations;
    for (size, sql) in SIZES.into_iter().zip(STATEMENTS.iter()) {
        while let Some((rows, after)) = rest.split_at_checked(size) {
            let query = sqlx::query(AssertSqlSafe(sql.as_str()));
            let query = rows.iter().fold(query, |query, generation| bound(query, generation));
            query.execute(&mut *to).await?;
            rest = after;
        }
    }
    Ok(())
}

type Insert<'q> = Query<'q, Sqlite, SqliteArguments>;

fn bound<'q>(query: Insert<'q>, generation: &'q Generation) -> Insert<'q> {
    let receipt = &generation.receipt.receipt;
    query
        .bind(generation.channel_id.0)
        .bind(integer(receipt.statement))
        .bind(i64::from(receipt.position))
        .bind(&generation.idempotency_key)
        .bind(&generation.body_digest[..])
        .bind(i64::from(receipt.licence))
        .bind(i64::from(receipt.units))
        .bind(i64::from(receipt.terms_number))
        .bind(integer(receipt.amount))
        .bind(integer(receipt.cumulative))
        .bind(&receipt.work.as_array()[..])
        .bind(&receipt.request_digest[..])
        .bind(&receipt.output_digest[..])
        .bind(receipt.issued_at)
        .bind(&generation.receipt.signature[..])
        .bind(receipt.digest().to_vec())
        .bind(generation.voucher_expires_at)
        .bind(&generation.voucher_signature[..])
        .bind(generation.api_key.as_ref().map(|key| &key.0[..]))
        .bind(integer(generation.charged))
        .bind(i64::from(generation.part))
}
