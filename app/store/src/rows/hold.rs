use motif_wire::HoldState;

use crate::{
    api_key::KeyId,
    error::StoreError,
    generation::ChannelId,
    hold::{Hold, HoldId, Item, StoredHold},
    sql::{Connection, Row, integer, query},
};

pub fn read_hold(row: &Row) -> Result<StoredHold, StoreError> {
    let outcome: Option<String> = row.get("outcome")?;
    let state = match outcome.as_deref() {
        None => HoldState::Open,
        Some("captured") => HoldState::Captured,
        Some("released") => HoldState::Released,
        Some(other) => return Err(StoreError::Corrupt(format!("outcome of a hold is {other}"))),
    };
    let item = Item { license: row.integer("license")?, units: row.integer("units")? };
    let request_digest = row.bytes("request_digest")?;
    let expires_at = row.get("expires_at")?;
    Ok(StoredHold {
        hold: Hold { item, request_digest, expires_at },
        state,
        api_key: row.bytes_or_null("api_key")?.map(KeyId),
        statement: row.integer_or_null("statement")?,
    })
}

/// Inserts a hold with the key that placed it. An existing one is left as it is, open or not.
pub async fn insert_hold(
    channel_id: ChannelId,
    id: &HoldId,
    (hold, api_key): (&Hold, Option<KeyId>),
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO holds (id, channel_id, license, units, request_digest, expires_at, api_key) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&id[..])
    .bind(channel_id.0)
    .bind(i64::from(hold.item.license))
    .bind(i64::from(hold.item.units))
    .bind(&hold.request_digest[..])
    .bind(hold.expires_at)
    .bind(api_key.as_ref().map(|key| &key.0[..]))
    .execute(to)
    .await
    .map(drop)
}

/// Deletes holds that expired before a time, a limited number at once.
pub async fn delete_holds(before: i64, to: &mut Connection) -> Result<(), sqlx::Error> {
    /// Maximum number of rows. It bounds the wait of other writes.
    const LIMIT: i64 = 10_000;
    query(
        "DELETE FROM holds WHERE id IN \
         (SELECT id FROM holds WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    )
    .bind(before)
    .bind(LIMIT)
    .execute(to)
    .await
    .map(drop)
}

/// Ends an open hold; `statement` is that of the generation that captures it. The outcome of an ended hold does not change.
pub async fn end_hold(
    id: &HoldId,
    outcome: &'static str,
    statement: Option<u64>,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query("UPDATE holds SET outcome = $1, statement = $2 WHERE id = $3 AND outcome IS NULL")
        .bind(outcome)
        .bind(statement.map(integer))
        .bind(&id[..])
        .execute(to)
        .await
        .map(drop)
}
