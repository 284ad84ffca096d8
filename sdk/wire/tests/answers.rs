//! What a payer reads is read by `motif_json` as by `serde_json`.

use std::fmt::Debug;

use motif_interface::acceptance::SaleAcceptance;
use motif_wire::{
    BatchReceipts, ChannelState, Due, HoldFacts, PaymentRequired, PriceTag, Problem, ReceiptParts,
    ReceiptProofParts, StreamEnd, StreamFailure, StreamedPart, sale::SaleReceipt,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const KEY: &str = "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w";

fn digest() -> String {
    "0f".repeat(32)
}

fn signature() -> String {
    "ab".repeat(64)
}

fn receipt() -> Value {
    json!({
        "digest": digest(), "channel": KEY, "opened_slot": u64::MAX, "statement": 1, "position": 2,
        "license": 3, "units": 4, "terms_number": 5, "amount": "6", "cumulative": "7", "work": KEY,
        "request_digest": digest(), "output_digest": digest(), "issued_at": -1, "signature": signature(),
        "bundle": [{ "hash": digest(), "is_left": true }],
    })
}

fn price_tag() -> Value {
    let quote = json!({
        "work": KEY, "use": "generate", "unit": "generation", "price": "1", "operator_fee_bps": 2,
        "price_with_fee": "3", "currency": KEY, "terms_number": 4, "terms_digest": digest(),
        "upfront_fee": "5", "free_units": 6,
    });
    json!({
        "operator": KEY, "cluster": digest(), "quote": quote, "fixed_units": 1, "most_units": 2,
        "streams": false, "hold_seconds": 3,
    })
}

fn expected() -> Value {
    json!({ "statement": 1, "cumulative": "2", "entries": [{ "license": 3, "units": 4 }] })
}

fn due() -> Value {
    json!({
        "answer": digest(), "part": 1, "license": 2, "units": 3, "price": "4", "request_digest": digest(),
        "output_digest": digest(), "expires_at": 5, "expected": expected(), "because": "wrong-price",
    })
}

fn channel() -> Value {
    let license = json!({
        "license": 1, "work": KEY, "terms_number": 2, "use": "train", "unit": "training-run", "price": "3",
        "settled_units": 4, "free_units_left": 5, "expires_at": 6,
    });
    let voucher = json!({
        "cluster": digest(), "channel": KEY, "opened_slot": 1, "statement": 2, "cumulative": "3",
        "statement_digest": digest(), "expires_at": 4, "signature": signature(),
    });
    let statement = json!({
        "statement": 1, "receipts": 2, "prices": "3", "cumulative": "4",
        "entries": [{ "license": 5, "units": 6 }], "voucher": voucher,
    });
    json!({
        "channel": KEY, "payer": KEY, "operator": KEY, "mint": KEY, "voucher_key": KEY, "cluster": digest(),
        "opened_slot": 1, "operator_fee_bps": 2, "grace_seconds": 3, "closes_at": 4, "deposited": "5",
        "upfront_fees": "6", "cumulative": "7", "available": "8", "licenses": [license],
        "unsettled": [], "open": statement,
    })
}

/// Changes one part of a value after the other.
fn changes(value: &Value) -> Vec<Value> {
    let mut changed: Vec<_> =
        [json!(null), json!(-1), json!(1.5), json!("x"), json!([]), json!({})].into();
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let with = |field: Option<Value>| {
                    let mut fields = fields.clone();
                    fields.remove(name);
                    fields.extend(field.map(|field| (name.clone(), field)));
                    Value::Object(fields)
                };
                changed.push(with(None));
                changed.extend(changes(field).into_iter().map(|field| with(Some(field))));
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                changed.extend(changes(item).into_iter().map(|item| {
                    let mut items = items.clone();
                    items[position] = item;
                    Value::Array(items)
                }));
            }
        }
        _ => {}
    }
    changed
}

/// Checks that both read a value, and each change of it, alike.
#[track_caller]
fn assert_read_alike<T: DeserializeOwned + Debug>(value: Value) {
    let both = |value: &Value| {
        let text = value.to_string();
        let by_serde = serde_json::from_str::<T>(&text).map(|read| format!("{read:?}"));
        let read = motif_json::from_slice::<T>(text.as_bytes()).map(|read| format!("{read:?}"));
        assert_eq!(read.as_ref().ok(), by_serde.as_ref().ok(), "{text}: {read:?}, {by_serde:?}");
        read.is_ok()
    };
    assert!(both(&value), "{value}");
    let mut more = value.clone();
    more["more"] = json!({ "a": [1.5, null] });
    both(&more);
    let changed = changes(&value);
    let refused = changed.iter().filter(|value| !both(value)).count();
    assert!(refused > 5, "{refused} of {} are refused", changed.len());
}

#[test]
fn changed_answers_are_read_alike() {
    let problem = json!({
        "type": "wrong-price", "title": "Wrong price", "status": 409, "detail": "a detail", "expected": expected(),
        "payment": { "due": due() }, "holder": "https://a.example",
        "items": [{ "item": 1, "type": "no-units", "detail": "a detail" }],
    });
    assert_read_alike::<Problem>(problem);
    assert_read_alike::<BatchReceipts>(json!({ "receipts": [receipt(), receipt()] }));
    assert_read_alike::<ChannelState>(channel());
    assert_read_alike::<HoldFacts>(json!({
        "hold": digest(), "channel": KEY, "license": 1, "units": 2, "request_digest": digest(), "expires_at": 3,
        "state": "captured",
    }));
}

#[test]
fn changed_headers_are_read_alike() {
    assert_read_alike::<PaymentRequired>(json!({ "price-tag": price_tag() }));
    assert_read_alike::<PaymentRequired>(json!({ "due": due() }));
    assert_read_alike::<PriceTag>(price_tag());
    assert_read_alike::<Due>(due());
    assert_read_alike::<ReceiptParts>(receipt());
    let mut acceptance = [0; SaleAcceptance::SIZE];
    acceptance[..SaleAcceptance::DOMAIN.len()].copy_from_slice(&SaleAcceptance::DOMAIN);
    assert_read_alike::<SaleReceipt>(json!({
        "transaction": "1".repeat(64), "operator": KEY, "operator_parts": 1,
        "works": [{ "work": KEY, "parts": 2, "terms": 3 }], "acceptance": hex::encode(acceptance), "seller": KEY,
        "payer": KEY, "output_digest": digest(), "issued_at": 4, "signature": signature(),
    }));
}

#[test]
fn changed_proofs_and_events_are_read_alike() {
    let record = json!({
        "channel": KEY, "opened_slot": 1, "statement": 2, "prices": "3", "fee": "4", "cumulative": "5",
        "statement_digest": digest(), "receipts_root": digest(),
    });
    assert_read_alike::<ReceiptProofParts>(json!({
        "receipt": receipt(), "siblings": [{ "hash": digest(), "sum": "1", "is_left": false }],
        "record": record, "range_siblings": [digest()],
    }));
    assert_read_alike::<StreamedPart>(json!({ "part": 1, "body": "AA==", "receipt": receipt() }));
    assert_read_alike::<StreamEnd>(
        json!({ "parts": 1, "units": 2, "bytes": 3, "last_receipt": digest() }),
    );
    assert_read_alike::<StreamFailure>(json!({ "type": "no-units", "detail": "a detail" }));
}
