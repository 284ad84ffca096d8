use motif_wire::HoldState;

use crate::{
    error::StoreError,
    generation::ChannelId,
    hold::{Hold, HoldId, Item, StoredHold},
    sql::{Connection, Row, query},
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
    Ok(StoredHold { hold: Hold { item, request_digest, expires_at }, state })
}

/// Inserts a hold. An existing one is left as it is, open or not.
pub async fn insert_hold(
    channel_id: ChannelId,
    id: &HoldId,
    hold: &Hold,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO holds (id, channel_id, license, units, request_digest, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&id[..])
    .bind(channel_id.0)
    .bind(i64::from(hold.item.license))
    .bind(i64::from(hold.item.units))
    .bind(&hold.request_digest[..])
    .bind(hold.expires_at)
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

/// Ends an open hold. The outcome of an ended hold does not change.
pub async fn end_hold(
    id: &HoldId,
    outcome: &'static str,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query("UPDATE holds SET outcome = $1 WHERE id = $2 AND outcome IS NULL")
        .bind(outcome)
        .bind(&id[..])
        .execute(to)
        .await
        .map(drop)
}
