//! From a receipt to the channel's account: was this generation licensed, and was it paid?

use payments::{
    Channel, StatementRecord,
    mmr::{Mmr, PEAKS, node},
};
use solana_pubkey::Pubkey;

use super::{
    SignedReceipt,
    tree::{Node, Sibling},
};

/// Everything but the channel's account that it takes to prove a settled receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptProof {
    /// The receipt.
    pub signed: SignedReceipt,
    /// From the receipt to the root of its statement's receipts, lowest first.
    pub siblings: Vec<Sibling>,
    /// What the channel recorded when the statement settled.
    pub record: StatementRecord,
    /// From the record to one of the channel's peaks, lowest first.
    pub range_siblings: Vec<[u8; 32]>,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The channel's operator did not sign this receipt.
    #[error("the receipt is not signed by the channel's operator")]
    Signature,
    /// Receipt, record and channel are not of one channel and statement.
    #[error("receipt, statement record and channel do not belong together")]
    Mismatch,
    /// The statement settled without its operator: it has no receipts.
    #[error("the statement was settled without receipts")]
    WithoutReceipts,
    /// The receipt is not among those the statement was settled with.
    #[error("the receipt is not among the statement's receipts")]
    NotInStatement,
    /// The channel never settled this statement.
    #[error("the statement is not among those the channel has settled")]
    NotSettled,
}

impl ReceiptProof {
    /// Checks the whole way against a channel's account, for example an offline snapshot.
    ///
    /// # Errors
    /// The first [`ProofError`] on the way from the receipt up.
    pub fn verify(&self, address: &Pubkey, channel: &Channel) -> Result<(), ProofError> {
        let receipt = &self.signed.receipt;
        if !self.signed.verifies(&channel.operator) {
            return Err(ProofError::Signature);
        }
        let record = &self.record;
        let together = receipt.channel == *address
            && record.channel == *address
            && receipt.opened_slot == channel.opened_slot
            && record.opened_slot == channel.opened_slot
            && receipt.statement == record.settlement.statement;
        if !together {
            return Err(ProofError::Mismatch);
        }
        let expected = Node {
            hash: record.receipts_root.ok_or(ProofError::WithoutReceipts)?,
            sum: record.settlement.prices,
        };
        let leaf = Node::leaf(&receipt.digest(), receipt.amount);
        if leaf.root(&self.siblings) != Ok(expected) {
            return Err(ProofError::NotInStatement);
        }
        let statement = record.settlement.statement;
        let settled = in_range(&channel.statements, statement, record, &self.range_siblings);
        if settled { Ok(()) } else { Err(ProofError::NotSettled) }
    }
}

/// Trees of a mountain range are aligned, so the bits of a record's number say on which side
/// each sibling stands, and the number of siblings which peak it leads to.
fn in_range(range: &Mmr, number: u64, record: &StatementRecord, siblings: &[[u8; 32]]) -> bool {
    let height = siblings.len();
    let peak_exists = height < PEAKS && range.length >> height & 1 == 1;
    if number >= range.length || !peak_exists {
        return false;
    }
    // The tree of this height starts where all larger ones end.
    let start = range.length >> (height + 1) << (height + 1);
    let in_tree = number >= start && number - start < 1 << height;
    let root = siblings.iter().enumerate().fold(record.hash(), |hash, (level, sibling)| {
        if number >> level & 1 == 1 { node(sibling, &hash) } else { node(&hash, sibling) }
    });
    in_tree && root == range.peaks[height]
}

/// The siblings of record `number` among the hashes of all records of a channel, in order;
/// `None` when there is no such record.
pub fn range_siblings(records: &[[u8; 32]], number: usize) -> Option<Vec<[u8; 32]>> {
    records.get(number)?;
    // Trees stand in descending order of size: walk them until the one with this record.
    let mut start = 0;
    for height in (0..PEAKS).rev().filter(|height| records.len() >> height & 1 == 1) {
        let size = 1 << height;
        if number < start + size {
            return Some(tree_siblings(&records[start..start + size], number - start));
        }
        start += size;
    }
    None
}

fn tree_siblings(leaves: &[[u8; 32]], position: usize) -> Vec<[u8; 32]> {
    let mut siblings = Vec::new();
    let mut level = leaves.to_vec();
    let mut place = position;
    while level.len() > 1 {
        siblings.push(level[place ^ 1]); // a perfect tree: everybody has a sibling
        level = level.as_chunks::<2>().0.iter().map(|[left, right]| node(left, right)).collect();
        place /= 2;
    }
    siblings
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use ed25519_dalek::SigningKey;
    use payments::Settlement;

    use super::*;
    use crate::receipt::{Receipt, tests, tree::Tree};

    const ADDRESS: Pubkey = Pubkey::new_from_array([5; 32]);

    fn operator() -> SigningKey {
        SigningKey::from_bytes(&[8; 32])
    }

    fn receipt(statement: u64, position: u32) -> SignedReceipt {
        let any = tests::receipt(position);
        let receipt = Receipt { channel: ADDRESS, opened_slot: 1, statement, amount: 10, ..any };
        SignedReceipt::sign(receipt, &operator())
    }

    fn tree(statement: u64) -> Tree {
        let leaf = |position| Node::leaf(&receipt(statement, position).receipt.digest(), 10);
        Tree::new((0..3).map(leaf).collect()).unwrap().unwrap()
    }

    fn record(statement: u64) -> StatementRecord {
        StatementRecord {
            channel: ADDRESS,
            opened_slot: 1,
            settlement: Settlement { statement, prices: 30, fee: 1, cumulative: 31 },
            statement_digest: [4; 32],
            receipts_root: Some(tree(statement).root().hash),
        }
    }

    fn channel(length: u64) -> Channel {
        let mut channel = Channel::zeroed();
        channel.operator = Pubkey::new_from_array(operator().verifying_key().to_bytes());
        channel.opened_slot = 1;
        for number in 0..length {
            channel.statements.append(record(number).hash()).unwrap();
        }
        channel
    }

    fn proof(number: u64, length: u64) -> ReceiptProof {
        let records: Vec<_> = (0..length).map(|number| record(number).hash()).collect();
        ReceiptProof {
            signed: receipt(number, 2),
            siblings: tree(number).siblings(2).unwrap(),
            record: record(number),
            range_siblings: range_siblings(&records, number as usize).unwrap(),
        }
    }

    #[test]
    fn every_receipt_stays_provable_whatever_settles_after_it() {
        for length in 1..=17 {
            let channel = channel(length);
            for number in 0..length {
                let held = proof(number, length).verify(&ADDRESS, &channel);
                assert_eq!(held, Ok(()), "statement {number} of {length}");
            }
        }
    }

    #[test]
    fn a_proof_holds_for_nothing_but_what_it_proves() {
        let channel = channel(5);
        let refused = |change: fn(&mut ReceiptProof)| {
            let mut proof = proof(2, 5);
            change(&mut proof);
            proof.verify(&ADDRESS, &channel).err()
        };
        let changed_amount = refused(|proof| proof.signed.receipt.amount += 1);
        assert_eq!(changed_amount, Some(ProofError::Signature));
        let other_statement = refused(|proof| proof.signed = receipt(3, 2));
        assert_eq!(other_statement, Some(ProofError::Mismatch));
        let other_receipt = refused(|proof| proof.signed = receipt(2, 1));
        assert_eq!(other_receipt, Some(ProofError::NotInStatement));
        let without = refused(|proof| proof.record.receipts_root = None);
        assert_eq!(without, Some(ProofError::WithoutReceipts));
        let never_settled = refused(|proof| proof.record.settlement.fee += 1);
        assert_eq!(never_settled, Some(ProofError::NotSettled));
        let short = refused(|proof| proof.range_siblings.truncate(1));
        assert_eq!(short, Some(ProofError::NotSettled));
    }
}
