use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use sqlx::{AssertSqlSafe, PgPool, Row, postgres::PgRow, query};

use crate::{
    error::StoreError,
    generation::ChannelId,
    lease::{Lease, LeaseHolder},
};

/// Leases of this process on a server that several processes share.
pub struct Leases {
    pool: PgPool,
    /// Random identifier of this process.
    holder: [u8; 16],
    url: String,
    duration: Duration,
    /// Time until which no other process can have taken a lease of this one.
    valid_until: Mutex<Instant>,
}

/// Milliseconds by the server's clock. The clocks of the processes need not agree.
const NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// Maximum number of leases acquired at once: the channel of each is recovered afterwards.
const ACQUIRE_LIMIT: usize = 64;

/// Holder of released leases. Equals no process, so that none renews them.
const NO_HOLDER: [u8; 16] = [0; 16];

impl Leases {
    /// Creates the leases of a process that holds none. `url` is where clients reach it.
    pub(crate) fn new(pool: PgPool, holder: [u8; 16], url: &str, duration: Duration) -> Self {
        let valid_until = Mutex::new(Instant::now() + duration);
        Self { pool, holder, url: url.to_owned(), duration, valid_until }
    }

    /// Returns the time after which a lease expires unless it is renewed.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns whether other processes may have taken this process's leases since the last renewal.
    pub fn have_expired(&self) -> bool {
        *self.valid_until.lock() <= Instant::now()
    }

    /// Acquires a channel's lease, unless another process holds it. Writes under an earlier lease
    /// of this process are refused from then on.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn acquire(
        &self,
        channel_id: ChannelId,
    ) -> Result<Result<Lease, LeaseHolder>, StoreError> {
        let sql = format!(
            "INSERT INTO leases (channel_id, holder, url, epoch, expires_at) \
             VALUES ($1, $2, $3, 1, {NOW} + $4) \
             ON CONFLICT (channel_id) DO UPDATE SET holder = excluded.holder, \
             url = excluded.url, epoch = leases.epoch + 1, expires_at = excluded.expires_at \
             WHERE leases.expires_at <= {NOW} OR leases.holder = $2 \
             RETURNING channel_id, epoch"
        );
        let acquired = query(AssertSqlSafe(sql))
            .bind(channel_id.0)
            .bind(&self.holder[..])
            .bind(&self.url[..])
            .bind(milliseconds(self.duration))
            .fetch_optional(&self.pool)
            .await?;
        if let Some(row) = acquired {
            return Ok(Ok(read_lease(&row)?));
        }
        let row = query("SELECT url FROM leases WHERE channel_id = $1");
        let row = row.bind(channel_id.0).fetch_one(&self.pool).await?;
        Ok(Err(LeaseHolder { url: row.try_get("url")? }))
    }

    /// Acquires leases of at most `limit` channels that no process has held for `free_for`. Returns
    /// an empty list if there are none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn acquire_free(
        &self,
        limit: usize,
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
        let acquired = query(AssertSqlSafe(sql))
            .bind(&self.holder[..])
            .bind(&self.url[..])
            .bind(milliseconds(self.duration))
            .bind(milliseconds(free_for))
            .bind(limit.min(ACQUIRE_LIMIT) as i64)
            .fetch_all(&self.pool)
            .await?;
        acquired.iter().map(read_lease).collect()
    }

    /// Renews all leases of this process and returns them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn renew(&self) -> Result<BTreeMap<ChannelId, Lease>, StoreError> {
        let started_at = Instant::now();
        // Locks rows in the order in which the writer locks them.
        let sql = format!(
            "UPDATE leases SET expires_at = {NOW} + $2 WHERE channel_id IN \
             (SELECT channel_id FROM leases WHERE holder = $1 ORDER BY channel_id FOR UPDATE) \
             AND holder = $1 RETURNING channel_id, epoch"
        );
        let renewed = query(AssertSqlSafe(sql))
            .bind(&self.holder[..])
            .bind(milliseconds(self.duration))
            .fetch_all(&self.pool)
            .await?;
        *self.valid_until.lock() = started_at + self.duration;
        let pair = |row| read_lease(row).map(|lease| (lease.channel_id, lease));
        renewed.iter().map(pair).collect()
    }

    /// Releases a lease. Writes of this process under it are refused from then on.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE leases SET holder = $1, expires_at = {NOW} \
             WHERE channel_id = $2 AND holder = $3 AND epoch = $4"
        );
        let released = query(AssertSqlSafe(sql))
            .bind(&NO_HOLDER[..])
            .bind(lease.channel_id.0)
            .bind(&self.holder[..])
            .bind(lease.epoch);
        released.execute(&self.pool).await?;
        Ok(())
    }

    /// Announces this process for the duration of a lease, and removes processes that have expired.
    /// Returns this process's share of the channels: their number divided by that of the processes,
    /// rounded up.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn announce(&self) -> Result<usize, StoreError> {
        let sql = format!(
            "INSERT INTO processes (holder, seen_until) VALUES ($1, {NOW} + $2) \
             ON CONFLICT (holder) DO UPDATE SET seen_until = excluded.seen_until"
        );
        let announced = query(AssertSqlSafe(sql)).bind(&self.holder[..]);
        announced.bind(milliseconds(self.duration)).execute(&self.pool).await?;
        let expired = format!("DELETE FROM processes WHERE seen_until <= {NOW}");
        query(AssertSqlSafe(expired)).execute(&self.pool).await?;
        let row = query(
            "SELECT (SELECT COUNT(DISTINCT address) FROM channels) AS channels, \
             (SELECT COUNT(*) FROM processes) AS processes",
        );
        let row = row.fetch_one(&self.pool).await?;
        let (channels, processes): (i64, i64) =
            (row.try_get("channels")?, row.try_get("processes")?);
        let share = channels.max(0).unsigned_abs().div_ceil(processes.max(1).unsigned_abs());
        Ok(usize::try_from(share).unwrap_or(usize::MAX))
    }

    /// Releases all leases and removes this process.
    pub(crate) async fn close(&self) {
        let released = query("UPDATE leases SET expires_at = 0 WHERE holder = $1");
        let released = released.bind(&self.holder[..]).execute(&self.pool).await;
        let removed = query("DELETE FROM processes WHERE holder = $1");
        let removed = removed.bind(&self.holder[..]).execute(&self.pool).await;
        if let Err(error) = released.and(removed) {
            tracing::warn!(%error, "leases were not released; they will expire");
        }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn read_lease(row: &PgRow) -> Result<Lease, StoreError> {
    let channel_id = ChannelId(row.try_get("channel_id")?);
    Ok(Lease { channel_id, epoch: row.try_get("epoch")? })
}

impl fmt::Debug for Leases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Leases").field("url", &self.url).finish_non_exhaustive()
    }
}
