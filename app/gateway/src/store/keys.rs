use std::collections::BTreeMap;

use super::{
    Change, Store, StoreError,
    row::{self, integer},
    sql::{Connection, Row, query},
};
use crate::keys::{KeyId, Scopes, StoredKey};

impl Store {
    /// All API keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = query("SELECT * FROM api_keys").all(self.tables().await?).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<StoredKey, StoreError> {
    let budget: Option<i64> = row.get("budget")?;
    let unsigned = |value| {
        u64::try_from(value).map_err(|_| StoreError::Corrupt(format!("a budget of {value}")))
    };
    Ok(StoredKey {
        id: KeyId(row::bytes(row, "id")?),
        name: row.get("name")?,
        token_digest: row::bytes(row, "token_digest")?,
        scopes: Scopes::from_bits(row::small(row, "scopes")?),
        budget: budget.map(unsigned).transpose()?,
        spent: row::unsigned(row, "spent")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

pub(super) async fn insert_key(key: &StoredKey, to: &mut Connection) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO api_keys (id, name, token_digest, scopes, budget, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&key.id.0[..])
    .bind(&key.name[..])
    .bind(&key.token_digest[..])
    .bind(i64::from(key.scopes.bits()))
    .bind(key.budget.map(integer))
    .bind(key.created_at)
    .bind(key.expires_at)
    .execute(to)
    .await
    .map(drop)
}

pub(super) async fn revoke_key(
    id: KeyId,
    revoked_at: i64,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query(
        "UPDATE api_keys SET revoked_at = $1 \
         WHERE id = $2 AND (revoked_at IS NULL OR revoked_at > $1)",
    )
    .bind(revoked_at)
    .bind(&id.0[..])
    .execute(to)
    .await
    .map(drop)
}

/// What generations cost by the key they were asked for with.
pub(super) fn spendings<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeMap<KeyId, u64> {
    let mut spent = BTreeMap::new();
    for generation in changes.flat_map(Change::generations) {
        if let Some(key) = generation.api_key {
            *spent.entry(key).or_default() += generation.charged;
        }
    }
    spent
}

/// Raises what keys have spent by what generations cost: once a key, however many those are,
/// and in the keys' order, so that two gateways never wait for each other.
pub(super) async fn spend<'a>(
    changes: impl Iterator<Item = &'a Change>,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    for (key, amount) in spendings(changes) {
        query("UPDATE api_keys SET spent = spent + $1 WHERE id = $2")
            .bind(integer(amount))
            .bind(&key.0[..])
            .execute(to)
            .await?;
    }
    Ok(())
}
