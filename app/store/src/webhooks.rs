use motif_wire::Event;

use crate::{
    error::StoreError,
    event_log::{insert_unshared, lock, read_event},
    sql::{Pool, Row, query},
};

/// Maximum number of webhooks that have deliveries at once.
const DUE_AT_ONCE: i64 = 1_000;
/// Number of ended deliveries that a webhook keeps.
const KEPT: i64 = 100;
/// Why a webhook's deliveries end when it is disabled.
const DISABLED: &str = "the webhook was disabled";

/// Identifier of a webhook.
pub type WebhookId = [u8; 16];

/// Webhooks of persons and deliveries to them.
#[derive(Clone, Debug)]
pub struct Webhooks {
    pool: Pool,
}

/// URL to which a person has events sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWebhook {
    /// Identifier, from which its secret is derived.
    pub id: WebhookId,
    /// The person.
    pub person: [u8; 32],
    /// Where events are sent.
    pub url: String,
    /// Bits of the kinds of events.
    pub kinds: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix second of the first failure since the last success.
    pub failing_since: Option<i64>,
    /// Unix second in which it was disabled.
    pub disabled_at: Option<i64>,
}

/// Delivery to try now.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    /// The webhook.
    pub webhook: WebhookId,
    /// Where to send.
    pub url: String,
    /// Number of the event.
    pub number: i64,
    /// The event.
    pub event: Event,
    /// Number of earlier tries.
    pub tries: u32,
    next_at: i64,
}

/// Delivery in the log of a webhook.
#[derive(Clone, Debug)]
pub struct StoredDelivery {
    /// The event.
    pub event: Event,
    /// Number of tries.
    pub tries: u32,
    /// Unix second of the last try.
    pub tried_at: Option<i64>,
    /// HTTP status of the last try.
    pub status: Option<u16>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// Unix second of the next try; `None` after the end.
    pub next_at: Option<i64>,
}

/// Outcome of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// HTTP status; `None` without an answer.
    pub status: Option<u16>,
    /// Why it failed; `None` for a success.
    pub error: Option<String>,
    /// Unix second of the next try; `None` if there is none.
    pub next_at: Option<i64>,
    /// The webhook is disabled if it has failed since before this unix second; `None` to disable it now.
    pub disable_before: Option<i64>,
}

impl Webhooks {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Adds a webhook. Returns whether the person then has at most `per_person` and all persons at most
    /// `total`; it is not added otherwise.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add(
        &self,
        webhook: &StoredWebhook,
        per_person: i64,
        total: i64,
    ) -> Result<bool, StoreError> {
        let mut to = self.pool.begin().await?;
        lock(&mut to).await?;
        let counts = query(
            "SELECT COUNT(*) AS present, CAST(COALESCE(SUM(CASE WHEN person = $1 THEN 1 ELSE 0 END), \
             0) AS BIGINT) AS own FROM webhooks",
        );
        let counts = counts.bind(&webhook.person[..]).all_in(&mut to).await?;
        for row in &counts {
            if row.get::<i64>("own")? >= per_person || row.get::<i64>("present")? >= total {
                return Ok(false);
            }
        }
        query(
            "INSERT INTO webhooks (id, person, url, kinds, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&webhook.id[..])
        .bind(&webhook.person[..])
        .bind(&webhook.url[..])
        .bind(webhook.kinds)
        .bind(webhook.created_at)
        .execute_in(&mut to)
        .await?;
        to.commit().await?;
        Ok(true)
    }

    /// Returns the webhooks of a person, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn of(&self, person: &[u8; 32]) -> Result<Vec<StoredWebhook>, StoreError> {
        let rows = query("SELECT * FROM webhooks WHERE person = $1 ORDER BY created_at, id");
        let rows = rows.bind(&person[..]).all(&self.pool).await?;
        let read = |row: &Row| {
            Ok(StoredWebhook {
                id: row.bytes("id")?,
                person: row.bytes("person")?,
                url: row.get("url")?,
                kinds: row.get("kinds")?,
                created_at: row.get("created_at")?,
                failing_since: row.get("failing_since")?,
                disabled_at: row.get("disabled_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Removes a webhook with its log.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn remove(&self, id: &WebhookId) -> Result<(), StoreError> {
        let mut to = self.pool.begin().await?;
        lock(&mut to).await?;
        for delete in
            ["DELETE FROM deliveries WHERE webhook = $1", "DELETE FROM webhooks WHERE id = $1"]
        {
            query(delete).bind(&id[..]).execute_in(&mut to).await?;
        }
        Ok(to.commit().await?)
    }

    /// Queues an event for one webhook. Returns `false` if `most` deliveries wait for it already.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn send(
        &self,
        id: &WebhookId,
        now: i64,
        event: &Event,
        most: i64,
    ) -> Result<bool, StoreError> {
        let mut to = self.pool.begin().await?;
        lock(&mut to).await?;
        let waiting = query(
            "SELECT COUNT(*) AS waiting FROM deliveries WHERE webhook = $1 AND next_at IS NOT NULL",
        );
        let waiting = waiting.bind(&id[..]).all_in(&mut to).await?;
        for row in &waiting {
            if row.get::<i64>("waiting")? >= most {
                return Ok(false);
            }
        }
        let number = insert_unshared(now, event, &mut to).await?;
        query("INSERT INTO deliveries (webhook, event, next_at) VALUES ($1, $2, $3)")
            .bind(&id[..])
            .bind(number)
            .bind(now)
            .execute_in(&mut to)
            .await?;
        to.commit().await?;
        Ok(true)
    }

    /// Returns the log of a webhook, newest event first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log(&self, id: &WebhookId) -> Result<Vec<StoredDelivery>, StoreError> {
        let rows = query(
            "SELECT deliveries.*, body FROM deliveries JOIN events ON number = event \
             WHERE webhook = $1 ORDER BY event DESC LIMIT $2",
        );
        let rows = rows.bind(&id[..]).bind(KEPT).all(&self.pool).await?;
        let read = |row: &Row| {
            Ok(StoredDelivery {
                event: read_event(row)?,
                tries: row.integer("tries")?,
                tried_at: row.get("tried_at")?,
                status: row.integer_or_null("status")?,
                error: row.get("error")?,
                next_at: row.get("next_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Returns the first due delivery of each webhook, a limited number, longest due first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn due(&self, now: i64) -> Result<Vec<DueDelivery>, StoreError> {
        let rows = query(
            // Grouped by an expression, so that SQLite finds what is due by the index of times.
            "SELECT deliveries.webhook AS webhook, url, number, body, tries, next_at FROM \
             (SELECT substr(webhook, 1, 16) AS webhook, MIN(event) AS event, \
             MIN(next_at) AS since FROM deliveries \
             WHERE next_at <= $1 GROUP BY 1 ORDER BY 3 LIMIT $2) AS due \
             JOIN deliveries ON deliveries.webhook = due.webhook AND deliveries.event = due.event \
             JOIN webhooks ON webhooks.id = due.webhook JOIN events ON number = due.event \
             ORDER BY since",
        );
        let rows = rows.bind(now).bind(DUE_AT_ONCE).all(&self.pool).await?;
        let read = |row: &Row| {
            Ok(DueDelivery {
                webhook: row.bytes("webhook")?,
                url: row.get("url")?,
                number: row.get("number")?,
                event: read_event(row)?,
                tries: row.integer("tries")?,
                next_at: row.get("next_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Takes a delivery until a unix second. Returns `false` if another process has taken it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn take(&self, due: &DueDelivery, now: i64, until: i64) -> Result<bool, StoreError> {
        let taken = query(
            "UPDATE deliveries SET tries = tries + 1, tried_at = $1, next_at = $2 \
             WHERE webhook = $3 AND event = $4 AND tries = $5 AND next_at = $6",
        );
        let taken = taken.bind(now).bind(until).bind(&due.webhook[..]).bind(due.number);
        let taken = taken.bind(i64::from(due.tries)).bind(due.next_at);
        Ok(taken.execute_on(&self.pool).await? == 1)
    }

    /// Records the outcome of a taken delivery, and deletes old entries of the log. Returns whether the
    /// webhook was disabled.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn finish(
        &self,
        taken: &DueDelivery,
        now: i64,
        outcome: &Outcome,
    ) -> Result<bool, StoreError> {
        let id = &taken.webhook[..];
        let mut to = self.pool.begin().await?;
        lock(&mut to).await?;
        query(
            "UPDATE deliveries SET status = $1, error = $2, next_at = $3 \
             WHERE webhook = $4 AND event = $5 AND tries = $6",
        )
        .bind(outcome.status.map(i64::from))
        .bind(outcome.error.as_deref())
        .bind(outcome.next_at)
        .bind(id)
        .bind(taken.number)
        .bind(i64::from(taken.tries) + 1)
        .execute_in(&mut to)
        .await?;
        let failing = match outcome.error {
            None => {
                "UPDATE webhooks SET failing_since = NULL, disabled_at = NULL WHERE id = $1 AND $2 > 0"
            }
            Some(_) => {
                "UPDATE webhooks SET failing_since = COALESCE(failing_since, $2) WHERE id = $1"
            }
        };
        query(failing).bind(id).bind(now).execute_in(&mut to).await?;
        let mut disabled = 0;
        if outcome.error.is_some() {
            let disable = query(
                "UPDATE webhooks SET disabled_at = $1 WHERE id = $2 AND disabled_at IS NULL \
                 AND failing_since < $3",
            );
            let before = outcome.disable_before.unwrap_or(i64::MAX);
            disabled = disable.bind(now).bind(id).bind(before).execute_in(&mut to).await?;
        }
        if disabled > 0 {
            query(
                "UPDATE deliveries SET next_at = NULL, error = $1 \
                 WHERE webhook = $2 AND next_at IS NOT NULL",
            )
            .bind(DISABLED)
            .bind(id)
            .execute_in(&mut to)
            .await?;
        }
        query(
            "DELETE FROM deliveries WHERE webhook = $1 AND next_at IS NULL AND event NOT IN \
             (SELECT event FROM deliveries WHERE webhook = $1 AND next_at IS NULL \
             ORDER BY event DESC LIMIT $2)",
        )
        .bind(id)
        .bind(KEPT)
        .execute_in(&mut to)
        .await?;
        to.commit().await?;
        Ok(disabled > 0)
    }
}
