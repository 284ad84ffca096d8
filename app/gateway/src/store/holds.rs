use std::collections::BTreeMap;

use super::{
    Store, StoreError,
    row::{self, ChannelId},
    sql::{Connection, Row, query},
};
use crate::ledger::{Hold, HoldId, Item};
use motif_sdk::gateway::wire::HoldState;

/// A hold as the store has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredHold {
    /// What is held.
    pub hold: Hold,
    /// What became of it.
    pub state: HoldState,
}

impl Store {
    /// A hold, whatever became of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold(
        &self,
        channel_id: ChannelId,
        id: &HoldId,
    ) -> Result<Option<StoredHold>, StoreError> {
        let found = query("SELECT * FROM holds WHERE id = $1 AND channel_id = $2")
            .bind(&id[..])
            .bind(channel_id.0)
            .optional(self.tables().await?)
            .await?;
        found.as_ref().map(read).transpose()
    }

    /// Holds of a channel that were neither captured nor released.
    pub(super) async fn open_holds(
        &self,
        channel_id: ChannelId,
    ) -> Result<BTreeMap<HoldId, Hold>, StoreError> {
        let rows = query("SELECT * FROM holds WHERE channel_id = $1 AND outcome IS NULL");
        let rows = rows.bind(channel_id.0).all(self.tables().await?).await?;
        rows.iter().map(|row| Ok((row::bytes(row, "id")?, read(row)?.hold))).collect()
    }
}

fn read(row: &Row) -> Result<StoredHold, StoreError> {
    let outcome: Option<String> = row.get("outcome")?;
    let state = match outcome.as_deref() {
        None => HoldState::Open,
        Some("captured") => HoldState::Captured,
        Some("released") => HoldState::Released,
        Some(other) => return Err(StoreError::Corrupt(format!("a hold that is {other}"))),
    };
    let item = Item { license: row::small(row, "license")?, units: row::small(row, "units")? };
    let request_digest = row::bytes(row, "request_digest")?;
    let expires_at = row.get("expires_at")?;
    Ok(StoredHold { hold: Hold { item, request_digest, expires_at }, state })
}

pub(super) async fn insert_hold(
    channel_id: ChannelId,
    id: &HoldId,
    hold: &Hold,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO holds (id, channel_id, license, units, request_digest, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
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

/// What is captured or released stays so.
pub(super) async fn end_hold(
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
