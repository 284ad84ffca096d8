use sqlx::{Row, query};

use super::{Lease, Leases, StoreError, leases::NOW};

/// Holds nothing: what it has given up, this process does not renew.
const NOBODY: [u8; 16] = [0; 16];

impl Leases {
    /// Says that this process is there, as its leases last, and forgets those that are gone.
    /// Returns how many channels are its portion, if all processes have as many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attend(&self) -> Result<usize, StoreError> {
        let sql = format!(
            "INSERT INTO processes (holder, seen_until) VALUES ($1, {NOW} + $2) \
             ON CONFLICT (holder) DO UPDATE SET seen_until = excluded.seen_until"
        );
        let attended = query(sqlx::AssertSqlSafe(sql)).bind(&self.holder[..]);
        attended.bind(self.milliseconds()).execute(&self.pool).await?;
        let gone = format!("DELETE FROM processes WHERE seen_until <= {NOW}");
        query(sqlx::AssertSqlSafe(gone)).execute(&self.pool).await?;
        let row = query(
            "SELECT (SELECT COUNT(DISTINCT address) FROM channels) AS channels, \
             (SELECT COUNT(*) FROM processes) AS processes",
        );
        let row = row.fetch_one(&self.pool).await?;
        let (channels, processes): (i64, i64) =
            (row.try_get("channels")?, row.try_get("processes")?);
        // This process is one of them.
        let portion = channels.max(0).unsigned_abs().div_ceil(processes.max(1).unsigned_abs());
        Ok(usize::try_from(portion).unwrap_or(usize::MAX))
    }

    /// Leaves a channel to whoever takes it. What this process still wants to write by the lease
    /// is refused from then on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_up(&self, lease: Lease) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE leases SET holder = $1, expires_at = {NOW} \
             WHERE channel_id = $2 AND holder = $3 AND epoch = $4"
        );
        let given_up = query(sqlx::AssertSqlSafe(sql))
            .bind(&NOBODY[..])
            .bind(lease.channel_id.0)
            .bind(&self.holder[..])
            .bind(lease.epoch);
        given_up.execute(&self.pool).await?;
        Ok(())
    }

    /// This process is not there any more.
    pub(super) async fn leave(&self) -> Result<(), sqlx::Error> {
        let left = query("DELETE FROM processes WHERE holder = $1");
        left.bind(&self.holder[..]).execute(&self.pool).await.map(drop)
    }
}
