//! Proof that a receipt was settled, against the channel's account.

#[cfg(feature = "ed25519")]
use solana_pubkey::Pubkey;

use super::{SignedReceipt, tree::Sibling};
use crate::payments::StatementRecord;
#[cfg(feature = "ed25519")]
use crate::{
    payments::{Channel, ReceiptKeys},
    receipt::tree::Node,
};

/// Proof of a settled receipt. Verification also needs the channel's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptProof {
    /// Receipt to prove.
    pub signed: SignedReceipt,
    /// Siblings from the receipt to the root of its statement's receipts, lowest first.
    pub siblings: Vec<Sibling>,
    /// Record of the settled statement.
    pub record: StatementRecord,
    /// Siblings from the record to a peak of the channel's Merkle mountain range, lowest first.
    pub range_siblings: Vec<[u8; 32]>,
}

/// Error returned when a proof is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The receipt key of the channel's operator at the time of issue did not sign this receipt.
    #[error("receipt signature invalid: expected the operator's receipt key of that time")]
    Signature,
    /// Receipt, record and channel are of different channels or statements.
    #[error("mismatch: the receipt, record and channel belong to different channels or statements")]
    Mismatch,
    /// The statement settled without receipts.
    #[error("no receipts: the statement settled without its operator")]
    WithoutReceipts,
    /// The siblings do not lead to the root of the statement's receipts.
    #[error("receipt not found among the statement's receipts")]
    NotInStatement,
    /// The siblings do not lead to a peak of the channel's range.
    #[error("statement not found among the channel's settled statements")]
    NotSettled,
}

#[cfg(feature = "ed25519")]
impl ReceiptProof {
    /// Verifies the proof against a channel's account and its operator's receipt keys, which may be
    /// an offline snapshot.
    ///
    /// # Errors
    /// [`ProofError`] of the first invalid step, from the receipt up.
    pub fn verify(
        &self,
        address: &Pubkey,
        channel: &Channel,
        keys: &ReceiptKeys,
    ) -> Result<(), ProofError> {
        let receipt = &self.signed.receipt;
        if !self.signed.verifies_with(keys) {
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
        let settled = channel.statements.contains(statement, record.hash(), &self.range_siblings);
        if settled { Ok(()) } else { Err(ProofError::NotSettled) }
    }
}

#[cfg(all(test, feature = "ed25519"))]
#[allow(clippy::unwrap_used, reason = "a test module that clippy does not recognize")]
mod tests {
    use bytemuck::Zeroable;
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::{
        mmr,
        payments::Settlement,
        receipt::{Receipt, tests, tree::Tree},
    };

    const ADDRESS: Pubkey = Pubkey::new_from_array([5; 32]);

    fn operator() -> SigningKey {
        SigningKey::from_bytes(&[8; 32])
    }

    fn keys() -> ReceiptKeys {
        ReceiptKeys::sole(Pubkey::new_from_array(operator().verifying_key().to_bytes()))
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
            range_siblings: mmr::siblings(&records, number as usize).unwrap(),
        }
    }

    #[test]
    fn receipt_stays_provable_after_appends() {
        for length in 1..=17 {
            let channel = channel(length);
            for number in 0..length {
                let held = proof(number, length).verify(&ADDRESS, &channel, &keys());
                assert_eq!(held, Ok(()), "statement {number} of {length}");
            }
        }
    }

    #[test]
    fn changed_proof_is_rejected() {
        let channel = channel(5);
        let refused = |change: fn(&mut ReceiptProof)| {
            let mut proof = proof(2, 5);
            change(&mut proof);
            proof.verify(&ADDRESS, &channel, &keys()).err()
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
