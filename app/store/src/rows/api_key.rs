use std::collections::BTreeMap;

use crate::{
    api_key::{KeyId, Scopes, StoredKey},
    error::StoreError,
    generation::Generation,
    sql::{Connection, Row, integer, query},
};

pub fn read_key(row: &Row) -> Result<StoredKey, StoreError> {
    Ok(StoredKey {
        id: KeyId(row.bytes("id")?),
        name: row.get("name")?,
        token_digest: row.bytes("token_digest")?,
        scopes: Scopes::from_bits(row.integer("scopes")?),
        budget: row.integer_or_null("budget")?,
        spent: row.integer("spent")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

/// Inserts a key. An existing one is left as it is.
pub async fn insert_key(key: &StoredKey, to: &mut Connection) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO api_keys (id, name, token_digest, scopes, budget, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
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

pub async fn revoke_key(
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

/// Returns what generations cost, by API key.
pub fn spending_by_key<'a>(
    generations: impl Iterator<Item = &'a Generation>,
) -> BTreeMap<KeyId, u64> {
    let mut spending = BTreeMap::<KeyId, u64>::new();
    for generation in generations {
        if let Some(key) = generation.api_key {
            let spent = spending.entry(key).or_default();
            *spent = spent.saturating_add(generation.charged);
        }
    }
    spending
}

/// Adds what generations cost to what their keys have spent: one update per key, in the order of the
/// keys, so that two gateways never deadlock. A key's sum stays at 2^63 - 1 once it is there: the
/// generations were acknowledged.
pub async fn add_spending(
    generations: &[&Generation],
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    for (key, amount) in spending_by_key(generations.iter().copied()) {
        let raise = "UPDATE api_keys SET spent = CASE WHEN spent > 9223372036854775807 - $1 \
                     THEN 9223372036854775807 ELSE spent + $1 END WHERE id = $2";
        query(raise).bind(integer(amount)).bind(&key.0[..]).execute(to).await?;
    }
    Ok(())
}
