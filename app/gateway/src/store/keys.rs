use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection, query, sqlite::SqliteRow};

use super::{
    Generation, Store, StoreError,
    row::{self, integer},
};
use crate::keys::{KeyId, Scopes, StoredKey};

impl Store {
    /// All API keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = query("SELECT * FROM api_keys").fetch_all(&self.readers).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &SqliteRow) -> Result<StoredKey, StoreError> {
    let budget: Option<i64> = row.try_get("budget")?;
    let unsigned = |value| {
        u64::try_from(value).map_err(|_| StoreError::Corrupt(format!("a budget of {value}")))
    };
    Ok(StoredKey {
        id: KeyId(row::bytes(row, "id")?),
        name: row.try_get("name")?,
        token_digest: row::bytes(row, "token_digest")?,
        scopes: Scopes::of_bits(row::small(row, "scopes")?),
        budget: budget.map(unsigned).transpose()?,
        spent: row::unsigned(row, "spent")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}

pub(super) async fn insert_key(
    key: &StoredKey,
    to: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO api_keys (id, name, token_digest, scopes, budget, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&key.id.0[..])
    .bind(&key.name)
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
    to: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    query("UPDATE api_keys SET revoked_at = MIN(?1, IFNULL(revoked_at, ?1)) WHERE id = ?2")
        .bind(revoked_at)
        .bind(&id.0[..])
        .execute(to)
        .await
        .map(drop)
}

/// Raises what keys have spent by what generations cost: once a key, however many those are.
pub(super) async fn spend(
    generations: &[&Generation],
    to: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let mut spent: BTreeMap<KeyId, u64> = BTreeMap::new();
    for generation in generations {
        if let Some(key) = generation.api_key {
            *spent.entry(key).or_default() += generation.charged;
        }
    }
    for (key, amount) in spent {
        query("UPDATE api_keys SET spent = spent + ? WHERE id = ?")
            .bind(integer(amount))
            .bind(&key.0[..])
            .execute(&mut *to)
            .await?;
    }
    Ok(())
}
