use motif_sdk::{
    Pubkey,
    channel::{Channel, Settlement, StatementRecord},
};

use crate::ledger::CutStatement;

/// What a channel must have recorded when these statements settled, and whether that is what
/// it has: appended to the range it had before, the records make the one it has after.
pub fn records(
    address: Pubkey,
    before: &Channel,
    after: &Channel,
    settled: &[CutStatement],
    roots: &[Option<[u8; 32]>],
) -> (Vec<StatementRecord>, bool) {
    let with_receipts = chained(address, before, settled, roots);
    if make(&with_receipts, before, after) {
        return (with_receipts, true);
    }
    // Late in the grace period anybody may settle, and then there are no receipts.
    let without = chained(address, before, settled, &vec![None; settled.len()]);
    let is_proven = make(&without, before, after);
    (without, is_proven)
}

fn chained(
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

/// Whether these records, appended to what a channel had before, make what it has after.
fn make(records: &[StatementRecord], before: &Channel, after: &Channel) -> bool {
    let mut copy = *before;
    // A full range refuses, and is then not the one after.
    let appended = records.iter().all(|record| copy.statements.append(record.hash()).is_ok());
    appended && copy.statements == after.statements
}
