use motif_sdk::{
    Pubkey,
    channel::{Channel, Settlement, StatementRecord},
};

use crate::ledger::CutStatement;

/// Returns the records of settled statements, and whether they are proven: appended to the
/// channel's earlier Merkle mountain range they result in its present one.
pub fn records(
    address: Pubkey,
    before: &Channel,
    after: &Channel,
    settled: &[CutStatement],
    roots: &[Option<[u8; 32]>],
) -> (Vec<StatementRecord>, bool) {
    let with_receipts = statement_records(address, before, settled, roots);
    if is_result(&with_receipts, before, after) {
        return (with_receipts, true);
    }
    // Late in the grace period any holder of a voucher may settle, without receipts.
    let without = statement_records(address, before, settled, &vec![None; settled.len()]);
    let is_proven = is_result(&without, before, after);
    (without, is_proven)
}

fn statement_records(
    address: Pubkey,
    before: &Channel,
    settled: &[CutStatement],
    roots: &[Option<[u8; 32]>],
) -> Vec<StatementRecord> {
    let mut prices = before.prices;
    let record = |(cut, root): (&CutStatement, &Option<[u8; 32]>)| {
        let fees_before = Channel { prices, ..*before }.fees();
        prices = prices.saturating_add(cut.prices);
        let now = Channel { prices, ..*before };
        StatementRecord {
            channel: address,
            opened_slot: before.opened_slot,
            settlement: Settlement {
                statement: cut.number,
                prices: cut.prices,
                fee: now.fees().saturating_sub(fees_before),
                cumulative: prices.saturating_add(now.fees()),
            },
            statement_digest: cut.statement.digest(),
            receipts_root: *root,
        }
    };
    settled.iter().zip(roots).map(record).collect()
}

/// Returns whether appending `records` to `before` results in `after`.
fn is_result(records: &[StatementRecord], before: &Channel, after: &Channel) -> bool {
    let mut copy = *before;
    // A full range rejects the record and cannot equal `after`.
    let appended = records.iter().all(|record| copy.statements.append(record.hash()).is_ok());
    appended && copy.statements == after.statements
}
