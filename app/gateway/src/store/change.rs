use motif_sdk::channel::StatementRecord;

use super::{
    generations::insert_generations,
    holds, keys,
    row::{ChannelId, Generation, integer},
    sql::{Connection, query},
};
use crate::{
    keys::{KeyId, StoredKey},
    ledger::{Hold, HoldId},
};

/// One thing to write.
#[derive(Clone, Debug)]
pub enum Change {
    /// Generations that were paid for together, and the hold that ends with them.
    Generations {
        /// The generations, in order.
        generations: Vec<Generation>,
        /// What the one of them captures.
        hold: Option<HoldId>,
    },
    /// Room is kept for a generation.
    HoldPlaced {
        /// The channel.
        channel_id: ChannelId,
        /// Names it.
        id: HoldId,
        /// What is held.
        hold: Hold,
    },
    /// A hold is given up.
    HoldReleased {
        /// Names it.
        id: HoldId,
    },
    /// A statement takes no more generations.
    Cut {
        /// The channel.
        channel_id: ChannelId,
        /// The statement's number.
        number: u64,
        /// Its entries, as they settle.
        entries: Vec<u8>,
        /// Prices of its generations, base units.
        prices: u64,
        /// Unix seconds.
        cut_at: i64,
    },
    /// A channel as the chain has it now, and the statements that have settled by it: both or
    /// neither.
    Observed {
        /// The channel.
        channel_id: ChannelId,
        /// Its account's data.
        account: Vec<u8>,
        /// What has settled since it was last observed.
        settled: Vec<SettledStatement>,
    },
    /// A settlement transaction that is about to be sent.
    Transaction(Box<StoredTransaction>),
    /// What became of a settlement transaction.
    Outcome {
        /// The transaction.
        signature: [u8; 64],
        /// Its fate.
        outcome: Outcome,
    },
    /// A new API key.
    KeyMade(Box<StoredKey>),
    /// An API key is not good any more.
    KeyRevoked {
        /// The key.
        id: KeyId,
        /// Unix seconds.
        revoked_at: i64,
    },
    /// The most a channel may be used for.
    Budget {
        /// The channel.
        channel_id: ChannelId,
        /// Base units; `None` for its whole deposit.
        budget: Option<u64>,
    },
    /// Nothing; answered when everything before it is on disk.
    Nothing,
}

/// A signed settlement transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransaction {
    /// The channel.
    pub channel_id: ChannelId,
    /// The statement it settles.
    pub statement: u64,
    /// Its signature.
    pub signature: [u8; 64],
    /// The transaction as it is sent.
    pub bytes: Vec<u8>,
    /// The last block that can contain it.
    pub last_valid_height: u64,
    /// The receipts it commits to.
    pub receipts_root: [u8; 32],
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may still land.
    Pending,
    /// It landed and did what it should.
    Landed,
    /// The chain refused it.
    Refused,
    /// It can land no more.
    Expired,
}

/// A statement as the chain recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledStatement {
    /// The statement's entries.
    pub entries: Vec<u8>,
    /// The record.
    pub record: StatementRecord,
    /// Whether the record is known to be what the chain has: then its hash is kept.
    pub is_proven: bool,
    /// Unix seconds.
    pub settled_at: i64,
}

impl Outcome {
    /// As a column holds it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Landed => "landed",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

impl Change {
    /// Writes changes in their order, within the writer's transaction.
    pub(super) async fn apply_all(
        changes: &[&Self],
        to: &mut Connection,
    ) -> Result<(), sqlx::Error> {
        keys::spend(changes.iter().copied(), to).await?;
        let is_generation = |change: &Self| matches!(change, Self::Generations { .. });
        for run in changes.chunk_by(|one, next| is_generation(one) && is_generation(next)) {
            let generations: Vec<_> = run.iter().flat_map(|change| change.generations()).collect();
            insert_generations(&generations, to).await?;
            for change in run {
                change.apply(to).await?;
            }
        }
        Ok(())
    }

    /// Writes changes that were in the journal. None of their generations depends on a hold, nor on
    /// another one, so they come in the order of their place in the tables.
    pub(super) async fn apply_journalled(
        changes: &[Self],
        to: &mut Connection,
    ) -> Result<(), sqlx::Error> {
        keys::spend(changes.iter(), to).await?;
        let mut generations: Vec<_> = changes.iter().flat_map(Self::generations).collect();
        generations.sort_unstable_by_key(|generation| generation.place());
        insert_generations(&generations, to).await?;
        for change in changes {
            change.apply(to).await?;
        }
        Ok(())
    }

    /// The generations it stores.
    pub(super) fn generations(&self) -> &[Generation] {
        match self {
            Self::Generations { generations, .. } => generations,
            _ => &[],
        }
    }

    /// As [`Change::generations`], to be signed.
    pub(super) fn generations_mut(&mut self) -> &mut [Generation] {
        match self {
            Self::Generations { generations, .. } => generations,
            _ => &mut [],
        }
    }

    /// Writes one change; generations are written by the run.
    async fn apply(&self, to: &mut Connection) -> Result<(), sqlx::Error> {
        match self {
            Self::Cut { channel_id, number, entries, prices, cut_at } => query(
                "INSERT INTO statements (channel_id, number, entries, prices, cut_at) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(channel_id.0)
            .bind(integer(*number))
            .bind(&entries[..])
            .bind(integer(*prices))
            .bind(*cut_at)
            .execute(to)
            .await
            .map(drop),
            Self::Observed { channel_id, account, settled } => {
                for statement in settled {
                    settle_statement(*channel_id, statement, to).await?;
                }
                query("UPDATE channels SET account = $1 WHERE id = $2")
                    .bind(&account[..])
                    .bind(channel_id.0)
                    .execute(to)
                    .await
                    .map(drop)
            }
            Self::Transaction(transaction) => insert_transaction(transaction, to).await,
            Self::Outcome { signature, outcome } => {
                query("UPDATE transactions SET outcome = $1 WHERE signature = $2")
                    .bind(outcome.word())
                    .bind(&signature[..])
                    .execute(to)
                    .await
                    .map(drop)
            }
            Self::KeyMade(key) => keys::insert_key(key, to).await,
            Self::KeyRevoked { id, revoked_at } => keys::revoke_key(*id, *revoked_at, to).await,
            Self::Budget { channel_id, budget } => {
                query("UPDATE channels SET budget = $1 WHERE id = $2")
                    .bind(budget.map(integer))
                    .bind(channel_id.0)
                    .execute(to)
                    .await
                    .map(drop)
            }
            Self::HoldPlaced { channel_id, id, hold } => {
                holds::insert_hold(*channel_id, id, hold, to).await
            }
            Self::HoldReleased { id } => holds::end_hold(id, "released", to).await,
            Self::Generations { hold: Some(id), .. } => holds::end_hold(id, "captured", to).await,
            Self::Generations { hold: None, .. } | Self::Nothing => Ok(()),
        }
    }
}

async fn insert_transaction(
    transaction: &StoredTransaction,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO transactions (signature, channel_id, statement, bytes, last_valid_height, \
         receipts_root) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&transaction.signature[..])
    .bind(transaction.channel_id.0)
    .bind(integer(transaction.statement))
    .bind(&transaction.bytes[..])
    .bind(integer(transaction.last_valid_height))
    .bind(&transaction.receipts_root[..])
    .execute(to)
    .await
    .map(drop)
}

async fn settle_statement(
    channel_id: ChannelId,
    settled: &SettledStatement,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let settlement = &settled.record.settlement;
    let record_hash = settled.is_proven.then(|| settled.record.hash());
    query(
        "INSERT INTO statements (channel_id, number, entries, prices, cut_at, fee, cumulative, \
         receipts_root, record_hash, settled_at) VALUES ($1, $2, $3, $4, $9, $5, $6, $7, $8, $9) \
         ON CONFLICT (channel_id, number) DO UPDATE SET fee = $5, cumulative = $6, receipts_root = $7, \
         record_hash = $8, settled_at = $9",
    )
    .bind(channel_id.0)
    .bind(integer(settlement.statement))
    .bind(&settled.entries[..])
    .bind(integer(settlement.prices))
    .bind(integer(settlement.fee))
    .bind(integer(settlement.cumulative))
    .bind(settled.record.receipts_root.as_ref().map(|root| &root[..]))
    .bind(record_hash.as_ref().map(|hash| &hash[..]))
    .bind(settled.settled_at)
    .execute(to)
    .await
    .map(drop)
}
