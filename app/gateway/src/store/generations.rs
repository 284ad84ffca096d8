use std::sync::LazyLock;

use super::{
    row::{Generation, integer},
    sql::{Connection, Query, query},
};

/// How many rows one statement inserts: few sizes, so that all are prepared once. Each costs a
/// round trip, to a server or to the thread that owns the connection, however many rows it has.
const SIZES: [usize; 4] = [64, 16, 4, 1];

const COLUMNS: usize = 22;

/// SQLite looks a numbered parameter up in a list of all of them, which takes longer than
/// storing it where there are a thousand; PostgreSQL has no others.
static FOR_SQLITE: LazyLock<[String; 4]> =
    LazyLock::new(|| SIZES.map(|rows| statement(rows, |_| "?".to_owned())));
static FOR_POSTGRES: LazyLock<[String; 4]> =
    LazyLock::new(|| SIZES.map(|rows| statement(rows, |number| format!("${number}"))));

fn statement(rows: usize, parameter: impl Fn(usize) -> String) -> String {
    let row = |row: usize| {
        let numbers = row * COLUMNS + 1..=(row + 1) * COLUMNS;
        format!("({})", numbers.map(&parameter).collect::<Vec<_>>().join(", "))
    };
    format!(
        "INSERT INTO generations (channel_id, statement, position, idempotency_key, body_digest, \
         licence, units, terms_number, amount, cumulative, work, request_digest, output_digest, \
         issued_at, receipt_signature, receipt_digest, voucher_expires_at, voucher_signature, \
         api_key, charged, part, receipt_bundle) \
         VALUES {}",
        (0..rows).map(row).collect::<Vec<_>>().join(", ")
    )
}

/// Inserts generations in their order.
pub(super) async fn insert_generations(
    generations: &[&Generation],
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let digest = |generation: &&Generation| generation.receipt.receipt.digest();
    let digests: Vec<[u8; 32]> = generations.iter().map(digest).collect();
    let statements: &'static [String; 4] = match to {
        Connection::Sqlite(_) => &FOR_SQLITE,
        Connection::Postgres(_) => &FOR_POSTGRES,
    };
    let (mut rest, mut digests) = (generations, &digests[..]);
    for (size, sql) in SIZES.into_iter().zip(statements) {
        while let Some((rows, after)) = rest.split_at_checked(size) {
            let (named, named_after) = digests.split_at(size);
            let all = rows.iter().zip(named);
            let query =
                all.fold(query(sql.as_str()), |query, (row, digest)| bound(query, row, digest));
            query.execute(to).await?;
            (rest, digests) = (after, named_after);
        }
    }
    Ok(())
}

fn bound<'q>(query: Query<'q>, generation: &'q Generation, digest: &'q [u8; 32]) -> Query<'q> {
    let receipt = &generation.receipt.receipt;
    query
        .bind(generation.channel_id.0)
        .bind(integer(receipt.statement))
        .bind(i64::from(receipt.position))
        .bind(&generation.idempotency_key[..])
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
        .bind(&digest[..])
        .bind(generation.voucher_expires_at)
        .bind(&generation.voucher_signature[..])
        .bind(generation.api_key.as_ref().map(|key| &key.0[..]))
        .bind(integer(generation.charged))
        .bind(i64::from(generation.part))
        .bind(Some(generation.receipt.bundle.as_bytes()).filter(|path| !path.is_empty()))
}
