//! Statements that the chain has settled and the store's tables lack.

use std::collections::BTreeMap;

use motif_sdk::{
    Pubkey,
    channel::{Channel, Settlement, StatementRecord},
};

use crate::{
    error::GatewayError,
    receipts_commitment::receipts_commitment,
    store::{Books, Change, Lease, OpenStatement, RecoveredChannel, SettledStatement, Store},
};

/// Statement as its generations describe it, and the root of its receipts.
type Forgotten = (OpenStatement, Option<[u8; 32]>);

/// Records settled statements of a channel that the tables lack, so that receipts are provable and the
/// books are exact. Writes nothing unless the records result in the channel's Merkle mountain range.
///
/// # Errors
/// [`GatewayError::StoreFailed`], [`GatewayError::Internal`].
pub async fn record_forgotten(
    store: &Store,
    lease: Lease,
    stored: &RecoveredChannel,
    now: i64,
) -> Result<(), GatewayError> {
    let (id, channel) = (lease.channel_id, &stored.account.channel);
    let mut forgotten = BTreeMap::new();
    for number in &stored.unrecorded {
        let statement = store.recovery().statement(id, channel.cluster, *number).await?;
        if statement.receipts == 0 {
            return Ok(()); // another store has its generations
        }
        let receipts = receipts_commitment(store, id, *number).await?;
        forgotten.insert(*number, (statement, receipts.map(|receipts| receipts.root)));
    }
    if forgotten.is_empty() {
        return Ok(());
    }
    let (address, books) = (stored.address, store.reports().books(id, 0, 0).await?);
    // Late in the grace period another party may have settled the last statements, without receipts.
    let settled = (0..=forgotten.len())
        .find_map(|bare| settled_statements(address, channel, &books, &forgotten, bare, now));
    let Some(settled) = settled else {
        tracing::error!(channel = %address, statements = ?stored.unrecorded,
            "the chain settled statements whose records are unknown");
        return Ok(());
    };
    tracing::warn!(channel = %address, statements = ?stored.unrecorded,
        "recorded statements that had settled unnoticed");
    let change = Change::Settled { channel_id: id, settled };
    Ok(store.writer().write_channel(lease, change).await?)
}

/// Returns the forgotten statements, of which the last `bare` settled without receipts. Returns `None`
/// if all records together do not result in the channel's range.
fn settled_statements(
    address: Pubkey,
    channel: &Channel,
    books: &Books,
    forgotten: &BTreeMap<u64, Forgotten>,
    bare: usize,
    now: i64,
) -> Option<Vec<SettledStatement>> {
    let mut range = channel.statements;
    (range.length, range.peaks) = (0, [[0; 32]; _]);
    let (mut prices, mut settled) = (0_u64, Vec::with_capacity(forgotten.len()));
    for number in 0..channel.statements.length {
        let Some((statement, root)) = forgotten.get(&number) else {
            let book = books.statements.get(&number)?;
            prices = prices.checked_add(book.prices)?;
            range.append(book.record_hash?).ok()?;
            continue;
        };
        let before = Channel { prices, ..*channel }.fees();
        prices = prices.checked_add(statement.prices)?;
        let fees = Channel { prices, ..*channel }.fees();
        let record = StatementRecord {
            channel: address,
            opened_slot: channel.opened_slot,
            settlement: Settlement {
                statement: number,
                prices: statement.prices,
                fee: fees.checked_sub(before)?,
                cumulative: prices.checked_add(fees)?,
            },
            statement_digest: statement.statement.digest(),
            receipts_root: root.filter(|_| settled.len() + bare < forgotten.len()),
        };
        range.append(record.hash()).ok()?;
        let entries = statement.statement.to_bytes();
        settled.push(SettledStatement { entries, record, is_proven: true, settled_at: now });
    }
    (range == channel.statements).then_some(settled)
}
