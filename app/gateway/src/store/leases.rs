use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::RngCore;
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow, query};

use super::{
    Change, StoreError, keys,
    row::{ChannelId, integer},
    writer::Waiting,
};
use crate::keys::KeyId;

/// The right to write a channel, from when it was taken until it is taken again.
///
/// A store in a file has one process and one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The channel.
    pub channel_id: ChannelId,
    /// Which taking this is.
    pub epoch: i64,
}

/// Somebody else's lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where the holder is found.
    pub url: String,
}

/// What one process holds of the channels that it shares a database with others for.
pub struct Leases {
    pub(super) pool: PgPool,
    pub(super) holder: [u8; 16],
    url: String,
    lasting: Duration,
    /// Until when nobody else can have taken what is held here. Later than that, ask.
    good_until: Mutex<Instant>,
}

/// Milliseconds by the database's clock: no two processes' clocks need to agree.
pub(super) const NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// How many leases are taken at once, at most: each is followed by reading a channel's books.
const AT_ONCE: usize = 64;

impl Leases {
    /// A process that holds nothing yet.
    pub(super) fn new(pool: PgPool, url: &str, lasting: Duration) -> Self {
        let mut holder = [0; 16];
        rand::rng().fill_bytes(&mut holder);
        let good_until = Mutex::new(Instant::now() + lasting);
        Self { pool, holder, url: url.to_owned(), lasting, good_until }
    }

    /// How long a lease lasts that is not renewed.
    pub fn lasting(&self) -> Duration {
        self.lasting
    }

    /// Whether so much time has passed since the last renewal that others may write by now.
    pub fn have_lapsed(&self) -> bool {
        *self.good_until.lock().unwrap_or_else(PoisonError::into_inner) <= Instant::now()
    }

    /// Takes a channel, unless another process holds it. Whatever this process still wants to
    /// write by an earlier lease is refused from then on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take(&self, channel_id: ChannelId) -> Result<Result<Lease, Held>, StoreError> {
        let sql = format!(
            "INSERT INTO leases (channel_id, holder, url, epoch, expires_at) \
             VALUES ($1, $2, $3, 1, {NOW} + $4) \
             ON CONFLICT (channel_id) DO UPDATE SET holder = excluded.holder, \
             url = excluded.url, epoch = leases.epoch + 1, expires_at = excluded.expires_at \
             WHERE leases.expires_at <= {NOW} OR leases.holder = $2 \
             RETURNING channel_id, epoch"
        );
        let taken = query(sqlx::AssertSqlSafe(sql))
            .bind(channel_id.0)
            .bind(&self.holder[..])
            .bind(&self.url[..])
            .bind(self.milliseconds())
            .fetch_optional(&self.pool)
            .await?;
        if let Some(row) = taken {
            return Ok(Ok(lease(&row)?));
        }
        let row = query("SELECT url FROM leases WHERE channel_id = $1");
        let row = row.bind(channel_id.0).fetch_one(&self.pool).await?;
        Ok(Err(Held { url: row.try_get("url")? }))
    }

    /// Takes up to so many of the channels that nobody has held for so long; none when there are
    /// none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_free(
        &self,
        most: usize,
        free_for: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        let sql = format!(
            "INSERT INTO leases (channel_id, holder, url, epoch, expires_at) \
             SELECT id, $1, $2, 1, {NOW} + $3 FROM channels AS one \
             WHERE opened_slot = (SELECT MAX(opened_slot) FROM channels AS other \
                                  WHERE other.address = one.address) \
             AND NOT EXISTS (SELECT 1 FROM leases \
                             WHERE channel_id = one.id AND expires_at > {NOW} - $4) \
             ORDER BY id LIMIT $5 \
             ON CONFLICT (channel_id) DO UPDATE SET holder = excluded.holder, \
             url = excluded.url, epoch = leases.epoch + 1, expires_at = excluded.expires_at \
             WHERE leases.expires_at <= {NOW} \
             RETURNING channel_id, epoch"
        );
        let taken = query(sqlx::AssertSqlSafe(sql))
            .bind(&self.holder[..])
            .bind(&self.url[..])
            .bind(self.milliseconds())
            .bind(milliseconds(free_for))
            .bind(most.min(AT_ONCE) as i64)
            .fetch_all(&self.pool)
            .await?;
        taken.iter().map(lease).collect()
    }

    /// Holds on to everything that is still this process's, and says what that is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew(&self) -> Result<BTreeMap<ChannelId, Lease>, StoreError> {
        let asked_at = Instant::now();
        // In the order in which the writer locks them, too.
        let sql = format!(
            "UPDATE leases SET expires_at = {NOW} + $2 WHERE channel_id IN \
             (SELECT channel_id FROM leases WHERE holder = $1 ORDER BY channel_id FOR UPDATE) \
             AND holder = $1 RETURNING channel_id, epoch"
        );
        let renewed = query(sqlx::AssertSqlSafe(sql))
            .bind(&self.holder[..])
            .bind(self.milliseconds())
            .fetch_all(&self.pool)
            .await?;
        let good_until = asked_at + self.lasting;
        *self.good_until.lock().unwrap_or_else(PoisonError::into_inner) = good_until;
        let pair = |row| lease(row).map(|lease| (lease.channel_id, lease));
        renewed.iter().map(pair).collect()
    }

    /// Gives everything up; others may take it at once.
    pub(super) async fn release(&self) {
        let released = query("UPDATE leases SET expires_at = 0 WHERE holder = $1");
        let released = released.bind(&self.holder[..]).execute(&self.pool).await;
        if let Err(error) = released.map(drop).and(self.leave().await) {
            tracing::warn!(%error, "leases were not released; they expire by themselves");
        }
    }

    pub(super) fn milliseconds(&self) -> i64 {
        milliseconds(self.lasting)
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Debug for Leases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Leases").field("url", &self.url).finish_non_exhaustive()
    }
}

fn lease(row: &PgRow) -> Result<Lease, StoreError> {
    let channel_id = ChannelId(row.try_get("channel_id")?);
    Ok(Lease { channel_id, epoch: row.try_get("epoch")? })
}

/// What of a group must not be written, asked within the transaction that writes the rest.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// By the order's place in the group.
    pub refused: BTreeMap<usize, StoreError>,
    /// Leases that end with this group: what follows was thought of on top of what was refused.
    pub ended: Vec<Lease>,
}

impl Leases {
    /// Holds a group against leases and budgets, and locks both until the transaction ends.
    pub(super) async fn weigh(
        &self,
        group: &[Waiting],
        ended: &HashMap<ChannelId, i64>,
        to: &mut PgConnection,
    ) -> Result<Refusals, sqlx::Error> {
        let wanted: BTreeSet<i64> =
            group.iter().filter_map(|it| Some(it.order.lease?.channel_id.0)).collect();
        let mut refusals = Refusals::default();
        if wanted.is_empty() {
            return Ok(refusals);
        }
        let wanted: Vec<i64> = wanted.into_iter().collect();
        let rows = query(
            "SELECT channel_id, epoch FROM leases WHERE holder = $1 AND channel_id = ANY($2) \
             ORDER BY channel_id FOR SHARE",
        );
        let rows = rows.bind(&self.holder[..]).bind(wanted).fetch_all(&mut *to).await?;
        let mut good = HashMap::with_capacity(rows.len());
        for row in &rows {
            let channel_id = ChannelId(row.try_get("channel_id")?);
            let epoch: i64 = row.try_get("epoch")?;
            if ended.get(&channel_id).is_none_or(|ended| epoch > *ended) {
                good.insert(channel_id, epoch);
            }
        }
        let mut budgets = Budgets::lock(group, to).await?;
        for (place, Waiting { order, .. }) in group.iter().enumerate() {
            let Some(lease) = order.lease else { continue };
            if good.get(&lease.channel_id) != Some(&lease.epoch) {
                refusals.refused.insert(place, StoreError::LeaseLost);
            } else if let Err(error) = budgets.spend(&order.change) {
                refusals.refused.insert(place, error);
                refusals.ended.push(lease);
                good.remove(&lease.channel_id);
            }
        }
        Ok(refusals)
    }
}

/// What the keys of a group may still spend; `None` for as much as they like.
struct Budgets(BTreeMap<KeyId, Option<u64>>);

impl Budgets {
    async fn lock(group: &[Waiting], to: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let keys = keys::spendings(group.iter().map(|waiting| &waiting.order.change));
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
            let id = id.try_into().map_err(|_| sqlx::Error::Decode("an id".into()))?;
            let remaining = remaining.map(|amount| u64::try_from(amount).unwrap_or(0));
            left.insert(KeyId(id), remaining);
        }
        Ok(Self(left))
    }

    fn spend(&mut self, change: &Change) -> Result<(), StoreError> {
        for (key, needed) in keys::spendings([change].into_iter()) {
            let Some(Some(left)) = self.0.get_mut(&key) else { continue };
            let rest = left.checked_sub(needed).filter(|_| integer(needed) < i64::MAX);
            *left = rest.ok_or(StoreError::KeyBudget { needed, left: *left })?;
        }
        Ok(())
    }
}
