use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row, postgres::PgRow, query};

use crate::{
    error::StoreError,
    generation::ChannelId,
    lease::{Lease, LeaseHolder},
};

/// Leases of this process on a server that several processes share. They last for as long as the
/// process is seen, which is one row for all of them.
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

/// Maximum number of leases acquired at once: the channel of each is recovered afterwards. All free
/// channels are searched for them.
const ACQUIRE_LIMIT: usize = 16_384;

/// Time after which the row of a process is deleted that was not seen, milliseconds.
const FORGET_AFTER: i64 = 3_600_000;

/// Number of attempts to acquire a lease whose holder changes meanwhile.
const ATTEMPTS: usize = 3;

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
    /// [`StoreError`]; [`StoreError::LeaseLost`] if the channel changes hands meanwhile.
    pub async fn acquire(
        &self,
        channel_id: ChannelId,
    ) -> Result<Result<Lease, LeaseHolder>, StoreError> {
        self.announce().await?;
        for _ in 0..ATTEMPTS {
            if let Some(lease) = self.try_acquire(channel_id).await? {
                return Ok(Ok(lease));
            }
            let row =
                query("SELECT url FROM leases JOIN processes USING (holder) WHERE channel_id = $1");
            let row = row.bind(channel_id.0).fetch_optional(&self.pool).await?;
            if let Some(row) = row {
                return Ok(Err(LeaseHolder { url: row.try_get("url")? }));
            }
        }
        Err(StoreError::LeaseLost)
    }

    async fn try_acquire(&self, channel_id: ChannelId) -> Result<Option<Lease>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let expired = lock_expired(Duration::ZERO, &mut transaction).await?;
        let acquired = query(
            "INSERT INTO leases (channel_id, holder, epoch) VALUES ($1, $2, 1) \
             ON CONFLICT (channel_id) DO UPDATE SET holder = excluded.holder, \
             epoch = leases.epoch + 1 \
             WHERE leases.holder = $2 OR leases.holder = ANY($3) OR NOT EXISTS \
             (SELECT 1 FROM processes WHERE processes.holder = leases.holder) \
             RETURNING channel_id, epoch",
        );
        let acquired = acquired.bind(channel_id.0).bind(&self.holder[..]).bind(expired);
        let acquired = acquired.fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        acquired.as_ref().map(read_lease).transpose()
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
        let mut transaction = self.pool.begin().await?;
        let mut free = lock_expired(free_for, &mut transaction).await?;
        free.push(NO_HOLDER.to_vec());
        let sql = format!(
            "WITH free AS (SELECT id FROM channels \
             WHERE NOT EXISTS (SELECT 1 FROM leases WHERE channel_id = id) \
             UNION ALL SELECT channel_id FROM leases \
             WHERE holder = ANY($2) AND released_at <= {NOW} - $3) \
             INSERT INTO leases (channel_id, holder, epoch) \
             SELECT one.id, $1, 1 FROM free JOIN channels AS one ON one.id = free.id \
             WHERE opened_slot = (SELECT MAX(opened_slot) FROM channels AS other \
                                  WHERE other.address = one.address) \
             ORDER BY one.id LIMIT $4 \
             ON CONFLICT (channel_id) DO UPDATE SET holder = excluded.holder, \
             epoch = leases.epoch + 1 WHERE leases.holder = ANY($2) \
             RETURNING channel_id, epoch"
        );
        let acquired = query(AssertSqlSafe(sql))
            .bind(&self.holder[..])
            .bind(free)
            .bind(milliseconds(free_for))
            .bind(limit.min(ACQUIRE_LIMIT) as i64)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        acquired.iter().map(read_lease).collect()
    }

    /// Renews all leases of this process and returns them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn renew(&self) -> Result<BTreeMap<ChannelId, Lease>, StoreError> {
        let started_at = Instant::now();
        self.announce().await?;
        // Read after the announcement, which waits for a process that is taking leases of this one.
        let held = query("SELECT channel_id, epoch FROM leases WHERE holder = $1");
        let held = held.bind(&self.holder[..]).fetch_all(&self.pool).await?;
        *self.valid_until.lock() = started_at + self.duration;
        let pair = |row| read_lease(row).map(|lease| (lease.channel_id, lease));
        held.iter().map(pair).collect()
    }

    /// Makes this process seen for the duration of a lease.
    async fn announce(&self) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO processes (holder, url, seen_until) VALUES ($1, $2, {NOW} + $3) \
             ON CONFLICT (holder) DO UPDATE SET seen_until = excluded.seen_until"
        );
        let announced = query(AssertSqlSafe(sql)).bind(&self.holder[..]).bind(&self.url[..]);
        announced.bind(milliseconds(self.duration)).execute(&self.pool).await?;
        Ok(())
    }

    /// Releases a lease. Writes of this process under it are refused from then on.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE leases SET holder = $1, released_at = {NOW} \
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

    /// Returns this process's share of the channels: their number divided by that of the processes,
    /// rounded up. Deletes processes that were last seen an hour ago.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn share(&self) -> Result<usize, StoreError> {
        let gone = format!(
            "DELETE FROM processes WHERE seen_until <= {NOW} - $1 \
             AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.holder = processes.holder)"
        );
        query(AssertSqlSafe(gone)).bind(FORGET_AFTER).execute(&self.pool).await?;
        let sql = format!(
            "SELECT (SELECT COUNT(DISTINCT address) FROM channels) AS channels, \
             (SELECT COUNT(*) FROM processes WHERE seen_until > {NOW}) AS processes"
        );
        let row = query(AssertSqlSafe(sql)).fetch_one(&self.pool).await?;
        let (channels, processes): (i64, i64) =
            (row.try_get("channels")?, row.try_get("processes")?);
        let share = channels.max(0).unsigned_abs().div_ceil(processes.max(1).unsigned_abs());
        Ok(usize::try_from(share).unwrap_or(usize::MAX))
    }

    /// Releases all leases.
    pub(crate) async fn close(&self) {
        let released = query("UPDATE processes SET seen_until = 0 WHERE holder = $1");
        if let Err(error) = released.bind(&self.holder[..]).execute(&self.pool).await {
            tracing::warn!(%error, "leases were not released; they will expire");
        }
    }
}

/// Returns the processes that were not seen for `longer` than a lease, and locks them: a process
/// that is seen again reads its leases after the transaction. A process that is about to be seen
/// again is left out.
async fn lock_expired(
    longer: Duration,
    transaction: &mut PgConnection,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = format!(
        "SELECT holder FROM processes WHERE seen_until <= {NOW} - $1 ORDER BY holder \
         FOR UPDATE SKIP LOCKED"
    );
    let rows = query(AssertSqlSafe(sql)).bind(milliseconds(longer)).fetch_all(transaction).await?;
    rows.iter().map(|row| Ok(row.try_get("holder")?)).collect()
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
