use std::sync::LazyLock;

use motif_interface::{
    Pubkey,
    receipt::{Receipt, SignedReceipt},
};

use crate::{
    api_key::KeyId,
    error::StoreError,
    generation::{ChannelId, Generation},
    rows::evidence::Evidence,
    runs,
    sql::{Connection, Query, Row, integer, query},
};

/// Columns that [`read_generation`] reads of `generations` joined with `channels`.
pub const COLUMNS: &str = "channel_id, statement, position, idempotency_key, part, license, units, \
     terms_number, amount, cumulative, charged, issued_at, voucher_expires_at, work, api_key, \
     evidence, address, opened_slot";

/// Numbers of rows that one statement inserts. Few, so that each statement is prepared once; each
/// execution costs a round trip, to a server or to the thread of the connection.
const SIZES: [usize; 4] = [64, 16, 4, 1];

const PARAMETERS: usize = 16;

/// SQLite searches the list of all numbered parameters for each one, which takes longer than the
/// insertion if there are a thousand. PostgreSQL has numbered parameters only.
static FOR_SQLITE: LazyLock<[String; 4]> =
    LazyLock::new(|| SIZES.map(|rows| insert_statement(rows, |_| "?".to_owned())));
static FOR_POSTGRES: LazyLock<[String; 4]> =
    LazyLock::new(|| SIZES.map(|rows| insert_statement(rows, |number| format!("${number}"))));

fn insert_statement(rows: usize, parameter: impl Fn(usize) -> String) -> String {
    let row = |row: usize| {
        let numbers = row * PARAMETERS + 1..=(row + 1) * PARAMETERS;
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

/// Inserts generations in their order, and in a file a run that indexes them.
pub async fn insert_generations(
    generations: &[&Generation],
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let digest = |generation: &&Generation| generation.receipt.receipt.digest();
    let digests: Vec<[u8; 32]> = generations.iter().map(digest).collect();
    match to {
        Connection::Postgres(_) => insert_rows(generations, &digests, &FOR_POSTGRES, to).await,
        Connection::Sqlite(_) if generations.is_empty() => Ok(()),
        Connection::Sqlite(_) => {
            // SQLite assigns each row the number after the highest one.
            let first = runs::next_id(to).await?;
            insert_rows(generations, &digests, &FOR_SQLITE, to).await?;
            runs::add(first, generations, &digests, to).await
        }
    }
}

/// Returns the generations that are not in the tables, each once. `generations` are sorted by place.
///
/// # Errors
/// [`sqlx::Error::Protocol`] if another generation has the place of one: both were acknowledged.
pub async fn without_existing<'a>(
    generations: Vec<&'a Generation>,
    to: &mut Connection,
) -> Result<Vec<&'a Generation>, sqlx::Error> {
    let mut new: Vec<&Generation> = Vec::with_capacity(generations.len());
    for generation in generations {
        let (channel_id, statement, position) = generation.place();
        let existing = query(
            "SELECT evidence FROM generations \
             WHERE channel_id = $1 AND statement = $2 AND position = $3",
        );
        let existing =
            existing.bind(channel_id.0).bind(integer(statement)).bind(i64::from(position));
        let existing = existing.all_of(to).await?;
        let existing: Option<Vec<u8>> =
            existing.first().map(|row| row.get("evidence")).transpose()?;
        let previous = new.last().filter(|previous| previous.place() == generation.place());
        match existing.or(previous.map(|previous| evidence_of(previous))) {
            None => new.push(generation),
            Some(evidence) if evidence == evidence_of(generation) => {}
            Some(_) => {
                let place = format!("position {position} of statement {statement}");
                let text = format!("another generation has {place} of channel {}", channel_id.0);
                return Err(sqlx::Error::Protocol(text));
            }
        }
    }
    Ok(new)
}

fn evidence_of(generation: &Generation) -> Vec<u8> {
    Evidence::new(generation, generation.receipt.receipt.digest()).to_bytes()
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
            let (row_digests, digests_after) = digests.split_at(size);
            let evidence = rows.iter().zip(row_digests);
            let evidence: Vec<_> =
                evidence.map(|(row, digest)| Evidence::new(row, *digest).to_bytes()).collect();
            let values = rows.iter().zip(&evidence);
            let query = values
                .fold(query(sql.as_str()), |query, (row, evidence)| bind(query, row, evidence));
            query.execute(to).await?;
            (rest, digests) = (after, digests_after);
        }
    }
    Ok(())
}

fn bind<'q>(query: Query<'q>, generation: &'q Generation, evidence: &'q [u8]) -> Query<'q> {
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

/// Reads a row of `generations` joined with its channel.
pub fn read_generation(row: &Row) -> Result<Generation, StoreError> {
    let evidence: Vec<u8> = row.get("evidence")?;
    let evidence = Evidence::from_bytes(&evidence)
        .ok_or_else(|| StoreError::Corrupt("evidence of a generation is malformed".into()))?;
    let receipt = Receipt {
        channel: Pubkey::new_from_array(row.bytes("address")?),
        opened_slot: row.integer("opened_slot")?,
        statement: row.integer("statement")?,
        position: row.integer("position")?,
        license: row.integer("license")?,
        units: row.integer("units")?,
        terms_number: row.integer("terms_number")?,
        amount: row.integer("amount")?,
        cumulative: row.integer("cumulative")?,
        work: Pubkey::new_from_array(row.bytes("work")?),
        request_digest: evidence.request_digest,
        output_digest: evidence.output_digest,
        issued_at: row.get("issued_at")?,
    };
    let channel_id = ChannelId(row.get("channel_id")?);
    if receipt.digest() != evidence.receipt_digest {
        let Receipt { statement, position, .. } = receipt;
        let name = format!("generation {position} of statement {statement} of channel");
        let text = format!("the row of {name} {} was changed since it was written", channel_id.0);
        return Err(StoreError::Corrupt(text));
    }
    Ok(Generation {
        channel_id,
        idempotency_key: row.get("idempotency_key")?,
        part: row.integer("part")?,
        receipt: SignedReceipt {
            receipt,
            signature: evidence.receipt_signature,
            bundle: evidence.bundle,
        },
        voucher_key: Pubkey::new_from_array(evidence.voucher_key),
        voucher_expires_at: row.get("voucher_expires_at")?,
        voucher_signature: evidence.voucher_signature,
        api_key: row.bytes_or_null("api_key")?.map(KeyId),
        charged: row.integer("charged")?,
    })
}
