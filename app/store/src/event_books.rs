use motif_interface::{Pubkey, channel::ChannelAccount};

use crate::{
    error::StoreError,
    queries::read_account,
    sql::{Pool, Row, Transaction, integer, query},
};

/// Maximum number of generations of a channel that are added up at once.
const GENERATIONS_AT_ONCE: i64 = 10_000;
/// Maximum number of settled statements of a channel that are told at once.
const STATEMENTS_AT_ONCE: i64 = 100;
/// Channels that have generations or settlements after their cursors.
const CHANNELS_WITH_NEWS: &str = "SELECT id, address, opened_slot, account, \
    COALESCE(cursor.statement, -1) AS statement, COALESCE(cursor.position, -1) AS position, \
    COALESCE(cursor.settled, -1) AS settled \
    FROM channels LEFT JOIN event_cursors AS cursor ON cursor.channel_id = channels.id \
    WHERE EXISTS (SELECT 1 FROM generations WHERE generations.channel_id = channels.id \
    AND (generations.statement, generations.position) \
    > (COALESCE(cursor.statement, -1), COALESCE(cursor.position, -1))) \
    OR EXISTS (SELECT 1 FROM statements WHERE statements.channel_id = channels.id \
    AND statements.number > COALESCE(cursor.settled, -1) AND statements.settled_at IS NOT NULL)";

/// Reads which generations and settlements are not told. What only the journal has is told later.
#[derive(Clone, Debug)]
pub struct EventBooks {
    pool: Pool,
}

/// How far a channel's generations and settlements are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelCursor {
    channel_id: i64,
    statement: i64,
    position: i64,
    settled: i64,
}

/// What is new of a channel.
#[derive(Clone, Debug)]
pub struct ChannelNews {
    /// Address.
    pub address: Pubkey,
    /// Account when it was last recorded.
    pub account: ChannelAccount,
    /// New generations.
    pub uses: Vec<NewUse>,
    /// Statements that have settled.
    pub settled: Vec<SettledWork>,
    /// Cursor after them.
    pub cursor: ChannelCursor,
}

/// Generations of one statement with one work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewUse {
    /// Number of the statement.
    pub statement: u64,
    /// The work.
    pub work: Pubkey,
    /// Position of the last of them.
    pub position: u64,
    /// Their number.
    pub generations: u64,
    /// Sum of their prices, base units.
    pub prices: u64,
    /// Unix second of the last of them.
    pub at: i64,
}

/// Part of a work in a settled statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledWork {
    /// Number of the statement.
    pub statement: u64,
    /// The work; `None` for a statement whose generations the store lacks.
    pub work: Option<Pubkey>,
    /// Number of its generations.
    pub generations: u64,
    /// Sum of their prices, base units.
    pub prices: u64,
    /// Unix second of the settlement.
    pub at: i64,
}

impl ChannelCursor {
    pub(crate) async fn write(&self, to: &mut Transaction) -> Result<(), sqlx::Error> {
        query(
            "INSERT INTO event_cursors (channel_id, statement, position, settled) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (channel_id) \
             DO UPDATE SET statement = $2, position = $3, settled = $4",
        )
        .bind(self.channel_id)
        .bind(self.statement)
        .bind(self.position)
        .bind(self.settled)
        .execute_in(to)
        .await
        .map(drop)
    }
}

impl EventBooks {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Returns what is new, a limited amount of each channel.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn news(&self) -> Result<Vec<ChannelNews>, StoreError> {
        let mut news = Vec::new();
        for row in &query(CHANNELS_WITH_NEWS).all(&self.pool).await? {
            let cursor = ChannelCursor {
                channel_id: row.get("id")?,
                statement: row.get("statement")?,
                position: row.get("position")?,
                settled: row.get("settled")?,
            };
            let (uses, cursor) = self.uses(cursor).await?;
            let (settled, cursor) = self.settled(cursor).await?;
            let (address, account) =
                (Pubkey::new_from_array(row.bytes("address")?), read_account(row)?);
            news.push(ChannelNews { address, account, uses, settled, cursor });
        }
        Ok(news)
    }

    async fn uses(
        &self,
        cursor: ChannelCursor,
    ) -> Result<(Vec<NewUse>, ChannelCursor), StoreError> {
        let rows = query(
            "SELECT statement, work, MAX(position) AS position, COUNT(*) AS generations, \
             CAST(SUM(amount) AS BIGINT) AS prices, MAX(issued_at) AS at FROM \
             (SELECT statement, position, work, amount, issued_at FROM generations \
             WHERE channel_id = $1 AND (statement, position) > ($2, $3) \
             ORDER BY statement, position LIMIT $4) AS newer \
             GROUP BY statement, work ORDER BY statement, 3",
        );
        let rows = rows.bind(cursor.channel_id).bind(cursor.statement).bind(cursor.position);
        let rows = rows.bind(GENERATIONS_AT_ONCE).all(&self.pool).await?;
        let read = |row: &Row| {
            Ok(NewUse {
                statement: row.integer("statement")?,
                work: Pubkey::new_from_array(row.bytes("work")?),
                position: row.integer("position")?,
                generations: row.integer("generations")?,
                prices: row.integer("prices")?,
                at: row.get("at")?,
            })
        };
        let uses = rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        let last = uses.last().map_or(cursor, |last| ChannelCursor {
            statement: integer(last.statement),
            position: integer(last.position),
            ..cursor
        });
        Ok((uses, last))
    }

    /// Returns the statements that settled after the cursor, and before one that has not settled.
    async fn settled(
        &self,
        cursor: ChannelCursor,
    ) -> Result<(Vec<SettledWork>, ChannelCursor), StoreError> {
        let statements = query(
            "SELECT number, prices, settled_at FROM statements \
             WHERE channel_id = $1 AND number > $2 ORDER BY number LIMIT $3",
        );
        let statements = statements.bind(cursor.channel_id).bind(cursor.settled);
        let statements = statements.bind(STATEMENTS_AT_ONCE).all(&self.pool).await?;
        let (mut settled, mut last) = (Vec::new(), cursor);
        for row in &statements {
            let Some(at) = row.get::<Option<i64>>("settled_at")? else { break };
            let number: i64 = row.get("number")?;
            let statement = row.integer("number")?;
            let works = query(
                "SELECT work, COUNT(*) AS generations, CAST(SUM(amount) AS BIGINT) AS prices \
                 FROM generations WHERE channel_id = $1 AND statement = $2 \
                 GROUP BY work ORDER BY work",
            );
            let works = works.bind(cursor.channel_id).bind(number).all(&self.pool).await?;
            for work in &works {
                settled.push(SettledWork {
                    statement,
                    work: Some(Pubkey::new_from_array(work.bytes("work")?)),
                    generations: work.integer("generations")?,
                    prices: work.integer("prices")?,
                    at,
                });
            }
            if works.is_empty() {
                let prices = row.integer("prices")?;
                settled.push(SettledWork { statement, work: None, generations: 0, prices, at });
            }
            last.settled = number;
        }
        Ok((settled, last))
    }
}
