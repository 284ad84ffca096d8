use std::collections::BTreeMap;

use motif_sdk::{
    Pubkey,
    channel::{Channel, Settlement, StatementRecord},
    mmr,
    receipt::{
        SignedReceipt,
        proof::{ProofError, ReceiptProof},
        tree::{Node, SumOverflow, Tree},
    },
    voucher::Statement,
};

/// Proves receipts against a channel's account with nothing but the receipts themselves: who
/// holds all receipts of a channel needs nobody to build the proofs.
pub struct Prover {
    statements: Vec<ProvableStatement>,
    record_hashes: Vec<[u8; 32]>,
}

struct ProvableStatement {
    receipts: Vec<SignedReceipt>,
    tree: Tree,
    record: StatementRecord,
}

/// Why proofs cannot be built from these receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    #[error("receipts of statement {statement} are missing")]
    Missing { statement: u64 },
    #[error("there are no receipts")]
    Empty,
    #[error("a statement's receipts state more units than a statement can")]
    Units,
    #[error(transparent)]
    Sum(#[from] SumOverflow),
}

impl Prover {
    /// Rebuilds every statement up to the newest one there is a receipt of.
    ///
    /// # Errors
    /// [`Incomplete`].
    pub fn new(
        channel: &Pubkey,
        account: &Channel,
        receipts: &[SignedReceipt],
    ) -> Result<Self, Incomplete> {
        let mut by_statement = BTreeMap::<u64, BTreeMap<u32, SignedReceipt>>::new();
        for signed in receipts {
            let statement = by_statement.entry(signed.receipt.statement).or_default();
            statement.insert(signed.receipt.position, *signed);
        }
        let mut prover = Self { statements: Vec::new(), record_hashes: Vec::new() };
        let mut prices_before = 0;
        for (number, (statement, receipts)) in (0..).zip(by_statement) {
            let complete = (0..).zip(receipts.keys()).all(|(place, position)| place == *position);
            if statement != number || !complete {
                return Err(Incomplete::Missing { statement: number });
            }
            let receipts: Vec<_> = receipts.into_values().collect();
            let rebuilt = ProvableStatement::rebuild(channel, account, receipts, prices_before)?;
            prices_before += rebuilt.record.settlement.prices;
            prover.record_hashes.push(rebuilt.record.hash());
            prover.statements.push(rebuilt);
        }
        if prover.statements.is_empty() { Err(Incomplete::Empty) } else { Ok(prover) }
    }

    /// The proof of every receipt, in order of statement and position.
    pub fn proofs(&self) -> impl Iterator<Item = ReceiptProof> + '_ {
        self.statements.iter().enumerate().flat_map(|(number, statement)| {
            let range_siblings = mmr::siblings(&self.record_hashes, number).unwrap_or_default();
            statement.receipts.iter().enumerate().map(move |(position, signed)| ReceiptProof {
                signed: *signed,
                siblings: statement.tree.siblings(position).unwrap_or_default(),
                record: statement.record,
                range_siblings: range_siblings.clone(),
            })
        })
    }

    /// How many receipts hold against `account`, and what is wrong with the first that does
    /// not.
    pub fn verify(&self, channel: &Pubkey, account: &Channel) -> (usize, Option<ProofError>) {
        let mut verified = 0;
        let mut first_failure = None;
        for proof in self.proofs() {
            match proof.verify(channel, account) {
                Ok(()) => verified += 1,
                Err(error) => first_failure = first_failure.or(Some(error)),
            }
        }
        (verified, first_failure)
    }
}

impl ProvableStatement {
    fn rebuild(
        channel: &Pubkey,
        account: &Channel,
        receipts: Vec<SignedReceipt>,
        prices_before: u64,
    ) -> Result<Self, Incomplete> {
        let mut statement = Statement::default();
        let mut leaves = Vec::with_capacity(receipts.len());
        for SignedReceipt { receipt, .. } in &receipts {
            statement.add(receipt.license, receipt.units).map_err(|_| Incomplete::Units)?;
            leaves.push(Node::leaf(&receipt.digest(), receipt.amount));
        }
        let tree = Tree::new(leaves)?.ok_or(Incomplete::Empty)?;
        let prices = tree.root().sum;
        let total = prices_before.checked_add(prices).ok_or(SumOverflow)?;
        let fees = |prices| fee(prices, account.operator_fee_bps);
        let newest = receipts.last().ok_or(Incomplete::Empty)?.receipt;
        let record = StatementRecord {
            channel: *channel,
            opened_slot: account.opened_slot,
            settlement: Settlement {
                statement: newest.statement,
                prices,
                fee: fees(total) - fees(prices_before), // a floor of a growing total
                cumulative: newest.cumulative,
            },
            statement_digest: statement.digest(),
            receipts_root: Some(tree.root().hash),
        };
        Ok(Self { receipts, tree, record })
    }
}

fn fee(prices: u64, operator_fee_bps: u16) -> u64 {
    (u128::from(prices) * u128::from(operator_fee_bps) / 10_000) as u64 // at most half
}
