use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{PgConnection, Row, query};

use crate::{
    api_key::KeyId, change::Change, command::Command, error::StoreError, generation::ChannelId,
    lease::Lease, rows::spending_by_key, sql::integer,
};

/// Refuses changes whose lease is lost or whose API key has no budget left, within the transaction
/// that writes the rest of the group.
#[derive(Clone, Copy, Debug)]
pub struct LeaseGuard {
    /// Identifier of this process.
    holder: [u8; 16],
}

/// Changes of a group that must not be written.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Refused changes, by their place in the group.
    pub refused: BTreeMap<usize, StoreError>,
    /// Leases that end with the group: later changes were decided on top of a refused one.
    pub ended: Vec<Lease>,
}

impl LeaseGuard {
    /// Creates the guard of a process.
    pub fn new(holder: [u8; 16]) -> Self {
        Self { holder }
    }

    /// Checks a group against leases and budgets, and locks both until the transaction ends.
    /// `ended` are epochs whose leases have ended, by channel.
    pub async fn check(
        &self,
        group: &[Command],
        ended: &HashMap<ChannelId, i64>,
        to: &mut PgConnection,
    ) -> Result<Refusals, sqlx::Error> {
        let channels: BTreeSet<i64> =
            group.iter().filter_map(|command| Some(command.lease?.channel_id.0)).collect();
        let mut refusals = Refusals::default();
        if channels.is_empty() {
            return Ok(refusals);
        }
        let channels: Vec<i64> = channels.into_iter().collect();
        let rows = query(
            "SELECT channel_id, epoch FROM leases WHERE holder = $1 AND channel_id = ANY($2) \
             ORDER BY channel_id FOR SHARE",
        );
        let rows = rows.bind(&self.holder[..]).bind(channels).fetch_all(&mut *to).await?;
        let mut valid = HashMap::with_capacity(rows.len());
        for row in &rows {
            let channel_id = ChannelId(row.try_get("channel_id")?);
            let epoch: i64 = row.try_get("epoch")?;
            if ended.get(&channel_id).is_none_or(|ended| epoch > *ended) {
                valid.insert(channel_id, epoch);
            }
        }
        let mut budgets = Budgets::lock(group, to).await?;
        for (place, command) in group.iter().enumerate() {
            let Some(lease) = command.lease else { continue };
            if valid.get(&lease.channel_id) != Some(&lease.epoch) {
                refusals.refused.insert(place, StoreError::LeaseLost);
            } else if let Err(error) = budgets.spend(&command.change) {
                refusals.refused.insert(place, error);
                refusals.ended.push(lease);
                valid.remove(&lease.channel_id);
            }
        }
        Ok(refusals)
    }
}

/// Budgets left of the keys of a group, base units; `None` for no maximum.
struct Budgets(BTreeMap<KeyId, Option<u64>>);

impl Budgets {
    async fn lock(group: &[Command], to: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let keys = spending_by_key(group.iter().flat_map(|command| command.change.generations()));
        if keys.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let ids: Vec<Vec<u8>> = keys.keys().map(|key| key.0.to_vec()).collect();
        let rows = query(
            "SELECT id, budget - spent AS remaining FROM api_keys WHERE id = ANY($1) \
             ORDER BY id FOR NO KEY UPDATE",
        );
        let mut left = BTreeMap::new();
        for row in &rows.bind(ids).fetch_all(to).await? {
            let id: Vec<u8> = row.try_get("id")?;
            let remaining: Option<i64> = row.try_get("remaining")?;
            let id = id.try_into().map_err(|_| sqlx::Error::Decode("invalid key id".into()))?;
            let remaining = remaining.map(|amount| u64::try_from(amount).unwrap_or(0));
            left.insert(KeyId(id), remaining);
        }
        Ok(Self(left))
    }

    fn spend(&mut self, change: &Change) -> Result<(), StoreError> {
        for (key, needed) in spending_by_key(change.generations().iter()) {
            let Some(Some(left)) = self.0.get_mut(&key) else { continue };
            let rest = left.checked_sub(needed).filter(|_| integer(needed) < i64::MAX);
            *left = rest.ok_or(StoreError::KeyBudget { needed, left: *left })?;
        }
        Ok(())
    }
}
