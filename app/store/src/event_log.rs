use std::collections::{HashMap, hash_map::Entry};

use motif_wire::{Event, EventKind};

use crate::{
    error::StoreError,
    event_books::ChannelCursor,
    sql::{Pool, Row, Transaction, query},
};

/// Maximum number of events that are deleted at once.
const PRUNED_AT_ONCE: i64 = 10_000;
/// Maximum number of deliveries that wait for one webhook. Later events are not sent to it.
const MAX_WAITING: i64 = 1_000;

/// Events that were told, and what they were told of.
///
/// Several processes may tell events from one server: a transaction that was decided on an earlier
/// state than the present one is rolled back.
#[derive(Clone, Debug)]
pub struct EventLog {
    pool: Pool,
}

/// Event with those who may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldEvent {
    /// The event.
    pub event: Event,
    /// Addresses of persons and channels.
    pub readers: Vec<[u8; 32]>,
}

/// Events to tell, and how far the sources are told then.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The events, in order. One whose id was told before is left out.
    pub events: Vec<ToldEvent>,
    /// Cursors of channels.
    pub cursors: Vec<ChannelCursor>,
    /// Values of accounts by name.
    pub marks: Vec<([u8; 32], i64)>,
    /// Whether the chain was read.
    pub is_chain_read: bool,
}

/// How far the sources are told.
#[derive(Clone, Debug, Default)]
pub struct ToldSoFar {
    /// Version of this state.
    pub version: i64,
    /// Whether the chain was read before.
    pub is_chain_read: bool,
    /// Values of accounts by name.
    pub marks: HashMap<[u8; 32], i64>,
}

impl EventLog {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Returns how far the sources are told.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn so_far(&self) -> Result<ToldSoFar, StoreError> {
        // Read first: marks that are newer than the version only make a later write conflict.
        let state = query("SELECT version, chain_read FROM event_state").one(&self.pool).await?;
        let chain_read: i64 = state.get("chain_read")?;
        let rows = query("SELECT name, value FROM event_marks").all(&self.pool).await?;
        let read = |row: &Row| Ok((row.bytes("name")?, row.get("value")?));
        Ok(ToldSoFar {
            version: state.get("version")?,
            is_chain_read: chain_read == 1,
            marks: rows.iter().map(read).collect::<Result<_, StoreError>>()?,
        })
    }

    /// Tells events, and queues them for the webhooks of their readers. Returns the next version, or
    /// `None` if another process has told since `version`: nothing is told then.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tell(
        &self,
        version: i64,
        now: i64,
        told: &Told,
    ) -> Result<Option<i64>, StoreError> {
        let mut to = self.pool.begin().await?;
        let raise = "UPDATE event_state SET version = version + 1 WHERE version = $1";
        if query(raise).bind(version).execute_in(&mut to).await? == 0 {
            return Ok(None);
        }
        let state = query("SELECT newest FROM event_state").all_in(&mut to).await?;
        let mut newest: i64 = state.first().map_or(Ok(0), |row| row.get("newest"))?;
        let mut webhooks = HashMap::new();
        for ToldEvent { event, readers } in &told.events {
            if insert(newest + 1, now, event, &mut to).await? {
                newest += 1;
                share(newest, readers, &mut to).await?;
                queue(newest, now, event.kind, readers, &mut webhooks, &mut to).await?;
            }
        }
        for cursor in &told.cursors {
            cursor.write(&mut to).await?;
        }
        for (name, value) in &told.marks {
            query(
                "INSERT INTO event_marks (name, value) VALUES ($1, $2) \
                 ON CONFLICT (name) DO UPDATE SET value = $2",
            )
            .bind(&name[..])
            .bind(*value)
            .execute_in(&mut to)
            .await?;
        }
        query("UPDATE event_state SET newest = $1").bind(newest).execute_in(&mut to).await?;
        if told.is_chain_read {
            query("UPDATE event_state SET chain_read = 1").execute_in(&mut to).await?;
        }
        to.commit().await?;
        Ok(Some(version + 1))
    }

    /// Returns the number of the newest event; 0 without one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn newest(&self) -> Result<i64, StoreError> {
        let row = query("SELECT newest FROM event_state").one(&self.pool).await?;
        Ok(row.get("newest")?)
    }

    /// Returns number and id of a reader's newest event.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn newest_of(
        &self,
        reader: &[u8; 32],
    ) -> Result<Option<(i64, [u8; 32])>, StoreError> {
        let row = query(
            "SELECT events.number AS number, id FROM event_readers JOIN events \
             ON events.number = event_readers.number WHERE reader = $1 \
             ORDER BY event_readers.number DESC LIMIT 1",
        );
        let row = row.bind(&reader[..]).optional(&self.pool).await?;
        row.map(|row| Ok((row.get("number")?, row.bytes("id")?))).transpose()
    }

    /// Returns the number of an event that a reader may read; `None` if it is not kept.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn number(
        &self,
        reader: &[u8; 32],
        id: &[u8; 32],
    ) -> Result<Option<i64>, StoreError> {
        let row = query(
            "SELECT events.number AS number FROM events JOIN event_readers \
             ON event_readers.number = events.number AND reader = $1 WHERE id = $2",
        );
        let row = row.bind(&reader[..]).bind(&id[..]).optional(&self.pool).await?;
        row.map(|row| Ok(row.get("number")?)).transpose()
    }

    /// Returns at most `limit` events of a reader after a number, oldest first, with their numbers.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn page(
        &self,
        reader: &[u8; 32],
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Event)>, StoreError> {
        let rows = query(
            "SELECT events.number AS number, body FROM event_readers JOIN events \
             ON events.number = event_readers.number \
             WHERE reader = $1 AND event_readers.number > $2 \
             ORDER BY event_readers.number LIMIT $3",
        );
        let rows = rows.bind(&reader[..]).bind(after).bind(i64::from(limit));
        let rows = rows.all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.get("number")?, read_event(row)?))).collect()
    }

    /// Deletes events that were told before a unix second, a limited number at once, with their
    /// deliveries. Returns whether there may be more.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn prune(&self, before: i64) -> Result<bool, StoreError> {
        let old =
            query("SELECT number FROM events WHERE told_at < $1 ORDER BY told_at, number LIMIT $2");
        let old = old.bind(before).bind(PRUNED_AT_ONCE).all(&self.pool).await?;
        let Some(last) = old.last() else { return Ok(false) };
        let last: i64 = last.get("number")?;
        let mut to = self.pool.begin().await?;
        lock(&mut to).await?;
        for delete in [
            "DELETE FROM deliveries WHERE event <= $1",
            "DELETE FROM event_readers WHERE number <= $1",
            "DELETE FROM events WHERE number <= $1",
        ] {
            query(delete).bind(last).execute_in(&mut to).await?;
        }
        to.commit().await?;
        Ok(old.len() as i64 == PRUNED_AT_ONCE)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Makes the transaction wait for others that write events or webhooks.
pub async fn lock(to: &mut Transaction) -> Result<(), sqlx::Error> {
    query("UPDATE event_state SET version = version").execute_in(to).await.map(drop)
}

/// Writes an event that the transaction's webhook alone gets, and returns its number.
pub async fn insert_unshared(
    now: i64,
    event: &Event,
    to: &mut Transaction,
) -> Result<i64, StoreError> {
    let raise = query("UPDATE event_state SET newest = newest + 1, version = version + 1");
    raise.execute_in(to).await?;
    let state = query("SELECT newest FROM event_state").all_in(to).await?;
    let number: i64 = state.first().map_or(Ok(0), |row| row.get("newest"))?;
    insert(number, now, event, to).await?;
    Ok(number)
}

/// Inserts an event. Returns whether its id is new.
async fn insert(
    number: i64,
    now: i64,
    event: &Event,
    to: &mut Transaction,
) -> Result<bool, StoreError> {
    let body = event.to_json();
    let insert = query(
        "INSERT INTO events (number, id, told_at, body) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO NOTHING",
    );
    let insert = insert.bind(number).bind(&event.id.0[..]).bind(now).bind(&body[..]);
    Ok(insert.execute_in(to).await? == 1)
}

async fn share(number: i64, readers: &[[u8; 32]], to: &mut Transaction) -> Result<(), sqlx::Error> {
    for reader in readers {
        query("INSERT INTO event_readers (reader, number) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(&reader[..])
            .bind(number)
            .execute_in(to)
            .await?;
    }
    Ok(())
}

/// Webhook that takes events.
struct Taker {
    id: [u8; 16],
    kinds: i64,
    waiting: i64,
}

/// Returns the enabled webhooks of a person.
async fn takers(person: &[u8; 32], to: &mut Transaction) -> Result<Vec<Taker>, StoreError> {
    let rows = query(
        "SELECT id, kinds, CAST((SELECT COUNT(*) FROM deliveries WHERE webhook = id \
         AND next_at IS NOT NULL) AS BIGINT) AS waiting \
         FROM webhooks WHERE person = $1 AND disabled_at IS NULL",
    );
    let read = |row: &Row| {
        let (kinds, waiting) = (row.get("kinds")?, row.get("waiting")?);
        Ok(Taker { id: row.bytes("id")?, kinds, waiting })
    };
    rows.bind(&person[..]).all_in(to).await?.iter().map(read).collect()
}

/// Queues an event for the webhooks of its readers.
async fn queue(
    number: i64,
    now: i64,
    kind: EventKind,
    readers: &[[u8; 32]],
    webhooks: &mut HashMap<[u8; 32], Vec<Taker>>,
    to: &mut Transaction,
) -> Result<(), StoreError> {
    for reader in readers {
        let own = match webhooks.entry(*reader) {
            Entry::Occupied(own) => own.into_mut(),
            Entry::Vacant(own) => own.insert(takers(reader, to).await?),
        };
        for taker in own {
            if taker.kinds & kind.bit() == 0 || taker.waiting >= MAX_WAITING {
                continue;
            }
            taker.waiting += 1;
            query(
                "INSERT INTO deliveries (webhook, event, next_at) VALUES ($1, $2, $3) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(&taker.id[..])
            .bind(number)
            .bind(now)
            .execute_in(to)
            .await?;
        }
    }
    Ok(())
}

/// Reads the column `body` of an event.
pub fn read_event(row: &Row) -> Result<Event, StoreError> {
    let body: String = row.get("body")?;
    let corrupt = |error| StoreError::Corrupt(format!("body of an event: {error}"));
    Event::from_json(&body).map_err(corrupt)
}
