use std::sync::LazyLock;

use super::{
    evidence::Evidence,
    row::{Generation, integer},
    runs,
    sql::{Connection, Query, query},
};

/// How many rows one statement inserts: few sizes, so that all are prepared once. Each costs a
/// round trip, to a server or to the thread that owns the connection, however many rows it has.
const SIZES: [usize; 4] = [64, 16, 4, 1];

const COLUMNS: usize = 16;

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
        "INSERT INTO generations (channel_id, statement, position, idempotency_key, part, license, \
         units, terms_number, amount, cumulative, charged, issued_at, voucher_expires_at, work, \
         api_key, evidence) \
         VALUES {}",
        (0..rows).map(row).collect::<Vec<_>>().join(", ")
    )
}

/// Inserts generations in their order, and makes them findable.
pub(super) async fn insert_generations(
    generations: &[&Generation],
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let digest = |generation: &&Generation| generation.receipt.receipt.digest();
    let digests: Vec<[u8; 32]> = generations.iter().map(digest).collect();
    match to {
        Connection::Postgres(_) => insert_rows(generations, &digests, &FOR_POSTGRES, to).await,
        Connection::Sqlite(_) if generations.is_empty() => Ok(()),
        Connection::Sqlite(_) => {
            // SQLite numbers them by itself, each one higher than the highest before it.
            let first = runs::next(to).await?;
            insert_rows(generations, &digests, &FOR_SQLITE, to).await?;
            runs::add(first, generations, &digests, to).await
        }
    }
}

async fn insert_rows(
    generations: &[&Generation],
    digests: &[[u8; 32]],
    statements: &'static [String; 4],
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let (mut rest, mut digests) = (generations, digests);
    for (size, sql) in SIZES.into_iter().zip(statements) {
        while let Some((rows, after)) = rest.split_at_checked(size) {
            let (named, named_after) = digests.split_at(size);
            let evidence = rows.iter().zip(named);
            let evidence: Vec<_> =
                evidence.map(|(row, digest)| Evidence::of(row, *digest).to_bytes()).collect();
            let all = rows.iter().zip(&evidence);
            let query =
                all.fold(query(sql.as_str()), |query, (row, evidence)| bound(query, row, evidence));
            query.execute(to).await?;
            (rest, digests) = (after, named_after);
        }
    }
    Ok(())
}

fn bound<'q>(query: Query<'q>, generation: &'q Generation, evidence: &'q [u8]) -> Query<'q> {
    let receipt = &generation.receipt.receipt;
    query
        .bind(generation.channel_id.0)
        .bind(integer(receipt.statement))
        .bind(i64::from(receipt.position))
        .bind(&generation.idempotency_key[..])
        .bind(i64::from(generation.part))
        .bind(i64::from(receipt.license))
        .bind(i64::from(receipt.units))
        .bind(i64::from(receipt.terms_number))
        .bind(integer(receipt.amount))
        .bind(integer(receipt.cumulative))
        .bind(integer(generation.charged))
        .bind(receipt.issued_at)
        .bind(generation.voucher_expires_at)
        .bind(&receipt.work.as_array()[..])
        .bind(generation.api_key.as_ref().map(|key| &key.0[..]))
        .bind(evidence)
}
