use motif_interface::channel::{Settlement, StatementRecord};
use serde::{Deserialize, Serialize, Serializer};

use super::{Address, Amount, Digest, SignatureHex};
use motif_interface::receipt::{
    Receipt, SignedReceipt,
    bundle::{BundlePath, BundleSibling, TooManySiblings},
    proof::ReceiptProof,
    tree::{Node, Sibling},
};

/// Signed receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptParts {
    /// SHA-256 of the receipt's bytes, which identifies it.
    pub digest: Digest,
    /// Channel that paid.
    pub channel: Address,
    /// Slot of the channel's opening.
    pub opened_slot: u64,
    /// Number of the statement.
    pub statement: u64,
    /// Position in the statement, from 0.
    pub position: u32,
    /// Index of the license on the channel.
    pub license: u16,
    /// Units used, including free ones.
    pub units: u32,
    /// Version of the work's terms.
    pub terms_number: u32,
    /// Price of this generation, without the operator's fee.
    pub amount: Amount,
    /// Total of the channel with this generation.
    pub cumulative: Amount,
    /// Licensed work.
    pub work: Address,
    /// SHA-256 of the request, as stated by the platform.
    pub request_digest: Digest,
    /// SHA-256 of the output, as stated by the platform.
    pub output_digest: Digest,
    /// Unix second at the gateway.
    pub issued_at: i64,
    /// Signature by the operator, over the receipt's bytes, or over the root of its bundle if it
    /// has siblings.
    pub signature: SignatureHex,
    /// Siblings on the path from the receipt to the root of its bundle, lowest first; absent if
    /// it was signed alone.
    #[serde(default, skip_serializing_if = "BundleSiblings::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<HashSibling>, required = false, max_items = 4))]
    pub bundle: BundleSiblings,
}

/// Siblings of a receipt in its bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<HashSibling>")]
pub struct BundleSiblings(pub BundlePath);

/// Sibling on the Merkle path from a receipt to the root of its bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HashSibling {
    /// Hash of the node.
    pub hash: Digest,
    /// Whether the sibling is the left child.
    pub is_left: bool,
}

/// Page of a statement's receipts, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptPage {
    /// Number of the statement.
    pub statement: u64,
    /// Position of the first receipt.
    pub offset: u32,
    /// Number of receipts of the statement.
    pub total: u32,
    /// Receipts.
    pub receipts: Vec<ReceiptParts>,
}

/// Receipts of a work on a channel, in order of statement and position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkReceipts {
    /// Receipts; fewer than the limit after the last one.
    pub receipts: Vec<ReceiptParts>,
}

/// Proof of a settled receipt against its channel's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptProofParts {
    /// Receipt.
    pub receipt: ReceiptParts,
    /// Siblings on the path to the root of the statement's receipts, lowest first.
    pub siblings: Vec<SumSibling>,
    /// Record of the settled statement.
    pub record: StatementRecordParts,
    /// Siblings on the path from the record to a peak of the channel's MMR, lowest first.
    pub range_siblings: Vec<Digest>,
}

/// Sibling on the Merkle-sum path from a receipt to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SumSibling {
    /// Hash of the node.
    pub hash: Digest,
    /// Sum of the receipts below the node.
    pub sum: Amount,
    /// Whether the sibling is the left child.
    pub is_left: bool,
}

/// Record of a settled statement in its channel's MMR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementRecordParts {
    /// Channel.
    pub channel: Address,
    /// Slot of the channel's opening.
    pub opened_slot: u64,
    /// Number of the statement.
    pub statement: u64,
    /// Prices of the statement.
    pub prices: Amount,
    /// Operator's fee.
    pub fee: Amount,
    /// Prices and fees since the channel opened.
    pub cumulative: Amount,
    /// SHA-256 of the statement's entries.
    pub statement_digest: Digest,
    /// Root of its receipts; `null` if another key than the operator's settled.
    #[serde(default)]
    pub receipts_root: Option<Digest>,
}

impl BundleSiblings {
    fn is_empty(&self) -> bool {
        self.0.is_alone()
    }
}

impl Serialize for BundleSiblings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = |BundleSibling { hash, is_left }| HashSibling { hash: Digest(hash), is_left };
        serializer.collect_seq(self.0.siblings().map(written))
    }
}

impl TryFrom<Vec<HashSibling>> for BundleSiblings {
    type Error = TooManySiblings;

    fn try_from(siblings: Vec<HashSibling>) -> Result<Self, TooManySiblings> {
        let read = |sibling: &HashSibling| BundleSibling {
            hash: sibling.hash.0,
            is_left: sibling.is_left,
        };
        BundlePath::new(&siblings.iter().map(read).collect::<Vec<_>>()).map(Self)
    }
}

impl From<&SignedReceipt> for ReceiptParts {
    #[inline(never)]
    fn from(signed: &SignedReceipt) -> Self {
        let receipt = &signed.receipt;
        Self {
            digest: Digest(receipt.digest()),
            channel: Address(receipt.channel),
            opened_slot: receipt.opened_slot,
            statement: receipt.statement,
            position: receipt.position,
            license: receipt.license,
            units: receipt.units,
            terms_number: receipt.terms_number,
            amount: Amount(receipt.amount),
            cumulative: Amount(receipt.cumulative),
            work: Address(receipt.work),
            request_digest: Digest(receipt.request_digest),
            output_digest: Digest(receipt.output_digest),
            issued_at: receipt.issued_at,
            signature: SignatureHex(signed.signature),
            bundle: BundleSiblings(signed.bundle),
        }
    }
}

impl From<&ReceiptParts> for SignedReceipt {
    /// Drops the digest, which follows from the other fields.
    #[inline(never)]
    fn from(parts: &ReceiptParts) -> Self {
        let receipt = Receipt {
            channel: parts.channel.0,
            opened_slot: parts.opened_slot,
            statement: parts.statement,
            position: parts.position,
            license: parts.license,
            units: parts.units,
            terms_number: parts.terms_number,
            amount: parts.amount.0,
            cumulative: parts.cumulative.0,
            work: parts.work.0,
            request_digest: parts.request_digest.0,
            output_digest: parts.output_digest.0,
            issued_at: parts.issued_at,
        };
        Self { receipt, signature: parts.signature.0, bundle: parts.bundle.0 }
    }
}

impl From<&StatementRecord> for StatementRecordParts {
    fn from(record: &StatementRecord) -> Self {
        Self {
            channel: Address(record.channel),
            opened_slot: record.opened_slot,
            statement: record.settlement.statement,
            prices: Amount(record.settlement.prices),
            fee: Amount(record.settlement.fee),
            cumulative: Amount(record.settlement.cumulative),
            statement_digest: Digest(record.statement_digest),
            receipts_root: record.receipts_root.map(Digest),
        }
    }
}

impl From<&StatementRecordParts> for StatementRecord {
    fn from(parts: &StatementRecordParts) -> Self {
        Self {
            channel: parts.channel.0,
            opened_slot: parts.opened_slot,
            settlement: Settlement {
                statement: parts.statement,
                prices: parts.prices.0,
                fee: parts.fee.0,
                cumulative: parts.cumulative.0,
            },
            statement_digest: parts.statement_digest.0,
            receipts_root: parts.receipts_root.map(|root| root.0),
        }
    }
}

impl From<&ReceiptProof> for ReceiptProofParts {
    fn from(proof: &ReceiptProof) -> Self {
        let sibling = |sibling: &Sibling| SumSibling {
            hash: Digest(sibling.node.hash),
            sum: Amount(sibling.node.sum),
            is_left: sibling.is_left,
        };
        Self {
            receipt: (&proof.signed).into(),
            siblings: proof.siblings.iter().map(sibling).collect(),
            record: (&proof.record).into(),
            range_siblings: proof.range_siblings.iter().copied().map(Digest).collect(),
        }
    }
}

impl From<&ReceiptProofParts> for ReceiptProof {
    fn from(parts: &ReceiptProofParts) -> Self {
        let sibling = |sibling: &SumSibling| Sibling {
            node: Node { hash: sibling.hash.0, sum: sibling.sum.0 },
            is_left: sibling.is_left,
        };
        Self {
            signed: (&parts.receipt).into(),
            siblings: parts.siblings.iter().map(sibling).collect(),
            record: (&parts.record).into(),
            range_siblings: parts.range_siblings.iter().map(|digest| digest.0).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundle_with_excess_siblings_is_rejected() {
        let sibling = serde_json::json!({ "hash": "07".repeat(32), "is_left": true });
        let read = |count: usize| {
            serde_json::from_value::<BundleSiblings>(vec![sibling.clone(); count].into())
        };
        for count in 0..=BundlePath::MAX_SIBLINGS {
            let written = serde_json::to_value(read(count).unwrap()).unwrap();
            assert_eq!(written, serde_json::Value::from(vec![sibling.clone(); count]));
        }
        let refused = read(BundlePath::MAX_SIBLINGS + 1).unwrap_err().to_string();
        assert_eq!(refused, "too many siblings: a receipt has at most 4 in its bundle");
    }
}
