//! Vouchers and receipts of another implementation: the formats are promises to
//! all signers and verifiers.

use ed25519_dalek::SigningKey;
use motif_sdk::{
    acceptance::{SaleAcceptance, terms_digest},
    channel::{Settlement, StatementRecord},
    gateway::wire::ReceiptParts,
    receipt::{
        Receipt, SignedReceipt,
        tree::{Node, Tree},
    },
    till::{TillShare, TillShares},
    voucher::{SignedVoucher, Statement, Voucher},
};
use serde_json::Value;
use solana_pubkey::Pubkey;

fn vector(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn voucher_vector() -> Value {
    vector(include_str!("../../golden/voucher.json"))
}

fn receipt_vector() -> Value {
    vector(include_str!("../../golden/receipt.json"))
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn digest(value: &Value) -> [u8; 32] {
    bytes(value).try_into().unwrap()
}

fn key(value: &Value) -> Pubkey {
    value.as_str().unwrap().parse().unwrap()
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(value.as_u64().unwrap()).ok().unwrap()
}

fn secret(value: &Value) -> SigningKey {
    SigningKey::from_bytes(&digest(value))
}

#[test]
fn voucher_matches_golden_vector() {
    let golden = voucher_vector();
    let entries = golden["entries"].as_array().unwrap().iter();
    let statement: Statement =
        entries.map(|entry| (number(&entry["license"]), number(&entry["units"]))).collect();
    assert_eq!(hex::encode(statement.to_bytes()), golden["statement_bytes"]);
    assert_eq!(hex::encode(statement.digest()), golden["statement_digest"]);
    assert_eq!(key(&golden["program"]), payments::ID);

    let voucher = Voucher {
        cluster: digest(&golden["cluster"]),
        channel: key(&golden["channel"]),
        opened_slot: number(&golden["opened_slot"]),
        statement: number(&golden["statement"]),
        cumulative: number(&golden["cumulative"]),
        statement_digest: statement.digest(),
        expires_at: golden["expires_at"].as_i64().unwrap(),
    };
    assert_eq!(hex::encode(voucher.to_bytes()), golden["bytes"]);
    assert_eq!(Voucher::from_bytes(&bytes(&golden["bytes"])), Some(voucher));
    let signed = SignedVoucher::sign(voucher, &secret(&golden["secret_key"]));
    assert_eq!(hex::encode(signed.signature), golden["signature"]);
    assert_eq!(signed.key, key(&golden["public_key"]));
    assert!(signed.verifies());
}

fn golden_receipt(golden: &Value) -> Receipt {
    Receipt {
        channel: key(&golden["channel"]),
        opened_slot: number(&golden["opened_slot"]),
        statement: number(&golden["statement"]),
        position: number(&golden["position"]),
        license: number(&golden["license"]),
        units: number(&golden["units"]),
        terms_number: number(&golden["terms_number"]),
        amount: number(&golden["amount"]),
        cumulative: number(&golden["cumulative"]),
        work: key(&golden["work"]),
        request_digest: digest(&golden["request_digest"]),
        output_digest: digest(&golden["output_digest"]),
        issued_at: golden["issued_at"].as_i64().unwrap(),
    }
}

#[test]
fn receipt_matches_golden_vector() {
    let golden = receipt_vector();
    let receipt = golden_receipt(&golden);
    assert_eq!(hex::encode(receipt.to_bytes()), golden["bytes"]);
    assert_eq!(hex::encode(receipt.digest()), golden["digest"]);
    let signed = SignedReceipt::sign(receipt, &secret(&golden["secret_key"]));
    assert_eq!(hex::encode(signed.signature), golden["signature"]);
    assert!(signed.verifies(&key(&golden["operator"])));
}

#[test]
fn receipt_bundle_matches_golden_vector() {
    let golden = receipt_vector();
    let receipts = [7, 8, 9].map(|position| Receipt { position, ..golden_receipt(&golden) });
    let signed = SignedReceipt::sign_together(&receipts, &secret(&golden["secret_key"]));
    for one in &signed {
        assert_eq!(hex::encode(one.signature), golden["bundle"]["signature"]);
        assert!(one.verifies(&key(&golden["operator"])));
    }
    for (one, name) in [(0, "siblings"), (2, "siblings_of_the_last")] {
        let siblings = serde_json::to_value(ReceiptParts::from(&signed[one]).bundle).unwrap();
        assert_eq!(siblings, golden["bundle"][name]);
    }
}

#[test]
fn tree_hashes_match_golden_vector() {
    let golden = receipt_vector();
    let receipt = golden_receipt(&golden);
    let leaf = |position| {
        let receipt = Receipt { position, ..receipt };
        Node::leaf(&receipt.digest(), receipt.amount)
    };
    let root = Tree::new([7, 8, 9].map(leaf).to_vec()).unwrap().unwrap().root();
    assert_eq!(hex::encode(root.hash), golden["tree"]["root"]);
    assert_eq!(root.sum, number::<u64>(&golden["tree"]["sum"]));
    let record = StatementRecord {
        channel: receipt.channel,
        opened_slot: receipt.opened_slot,
        settlement: Settlement {
            statement: receipt.statement,
            prices: number(&golden["record"]["prices"]),
            fee: number(&golden["record"]["fee"]),
            cumulative: receipt.cumulative,
        },
        statement_digest: digest(&golden["record"]["statement_digest"]),
        receipts_root: Some(root.hash),
    };
    assert_eq!(hex::encode(record.hash()), golden["record"]["hash"]);
}

#[test]
fn sale_matches_golden_vector() {
    let golden = vector(include_str!("../../golden/sale.json"));
    let list = &golden["shares"];
    let share =
        |share: &Value| TillShare { work: key(&share["work"]), parts: number(&share["parts"]) };
    let shares = TillShares {
        operator: key(&list["operator"]),
        operator_parts: number(&list["operator_parts"]),
        works: list["works"].as_array().unwrap().iter().map(share).collect(),
    };
    assert_eq!(shares.check(), Ok(()));
    assert_eq!(hex::encode(shares.digest()), list["digest"]);
    let terms = golden["terms"].as_array().unwrap().iter();
    let terms: Vec<_> =
        terms.map(|terms| (number(&terms["number"]), digest(&terms["digest"]))).collect();
    assert_eq!(hex::encode(terms_digest(&terms)), golden["terms_digest"]);
    let acceptance = SaleAcceptance {
        cluster: digest(&golden["cluster"]),
        till: key(&golden["till"]),
        subject: shares.subject(),
        mint: key(&golden["mint"]),
        terms_number: 0,
        terms_digest: terms_digest(&terms),
        licensed_use: golden["use"].as_str().unwrap().parse().unwrap(),
        units: number(&golden["units"]),
        amount: number(&golden["amount"]),
        request_digest: digest(&golden["request_digest"]),
        operator: shares.operator,
        not_after: golden["not_after"].as_i64().unwrap(),
        nonce: number(&golden["nonce"]),
    };
    assert_eq!(hex::encode(acceptance.to_bytes()), golden["bytes"]);
    assert_eq!(acceptance.memo(), golden["memo"].as_str().unwrap());
}

/// A transaction's message begins with its number of signatures, below 0x80, or with 0x80 plus
/// its version. The runtime reads 0xFF as version 127, which does not exist.
#[test]
fn golden_messages_are_no_transactions() {
    for golden in [voucher_vector(), receipt_vector()] {
        assert_eq!(bytes(&golden["bytes"])[0], 0x80 + 127);
    }
}
