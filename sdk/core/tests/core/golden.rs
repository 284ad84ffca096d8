//! Vectors of another implementation, in `tests/golden`.

use motif_core::Core;
use motif_payer_calls::Payers;
use serde_json::{Value, json};

use crate::module::Pair;

/// Creates the native core and its module, and those of a payer beside them.
pub fn core() -> Pair {
    let mut native = Core::default();
    Pair::new("motif_core.wasm", move |input| native.call(input)).and(payers())
}

/// Creates the native crate and the module of payers.
pub fn payers() -> Pair {
    let mut native = Payers::default();
    Pair::new("motif_payer.wasm", move |input| native.call(input))
}

fn vector(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn voucher_matches_golden_vector() {
    let golden = vector(include_str!("../../../../tests/golden/voucher.json"));
    let mut core = core();
    let statement = core.ok("statement.digest", json!({ "entries": golden["entries"] }));
    assert_eq!(statement["bytes"], golden["statement_bytes"]);
    assert_eq!(statement["digest"], golden["statement_digest"]);
    let mut voucher = json!({
        "cluster": golden["cluster"],
        "channel": golden["channel"],
        "opened_slot": golden["opened_slot"],
        "statement": golden["statement"],
        "cumulative": golden["cumulative"].to_string(),
        "statement_digest": golden["statement_digest"],
        "expires_at": golden["expires_at"],
    });
    let bytes = core.ok("voucher.bytes", json!({ "voucher": voucher }));
    assert_eq!(bytes["bytes"], golden["bytes"]);
    voucher["signature"] = golden["signature"].clone();
    let key = &golden["public_key"];
    core.ok("voucher.verify", json!({ "voucher": voucher, "key": key }));
    voucher["cumulative"] = "1".into();
    let raised = core.error("voucher.verify", json!({ "voucher": voucher, "key": key }), &[]);
    assert_eq!(raised, "voucher-invalid");
    let programs = &core.ok("version", json!({}))["programs"];
    assert_eq!(programs["payments"], golden["program"]);
}

fn receipt(golden: &Value) -> Value {
    let mut receipt = golden.clone();
    let fields = receipt.as_object_mut().unwrap();
    for other in ["about", "secret_key", "operator", "bytes", "tree", "record", "bundle"] {
        fields.remove(other);
    }
    for amount in ["amount", "cumulative"] {
        fields[amount] = fields[amount].to_string().into();
    }
    receipt
}

#[test]
fn receipt_matches_golden_vector() {
    let golden = vector(include_str!("../../../../tests/golden/receipt.json"));
    let (mut core, mut receipt) = (core(), receipt(&golden));
    let digest = core.ok("receipt.digest", json!({ "receipt": receipt }));
    assert_eq!(digest["digest"], golden["digest"]);
    assert_eq!(digest["bytes"], golden["bytes"]);
    let keys = json!([{ "key": golden["operator"], "valid_from": 0 }]);
    core.ok("receipt.verify", json!({ "receipt": receipt, "keys": keys }));
    receipt["units"] = 3.into();
    let changed = json!({ "receipt": receipt, "keys": keys });
    assert_eq!(core.error("receipt.verify", changed, &[]), "receipt-invalid");
}

#[test]
fn receipt_bundle_matches_golden_vector() {
    let golden = vector(include_str!("../../../../tests/golden/receipt.json"));
    let (mut core, mut receipt) = (core(), receipt(&golden));
    receipt["signature"] = golden["bundle"]["signature"].clone();
    let keys = json!([{ "key": golden["operator"] }]);
    for (position, siblings) in [(7, "siblings"), (9, "siblings_of_the_last")] {
        receipt["position"] = position.into();
        receipt["bundle"] = golden["bundle"][siblings].clone();
        core.ok("receipt.verify", json!({ "receipt": receipt, "keys": keys }));
    }
}

#[test]
fn sale_matches_golden_vector() {
    let golden = vector(include_str!("../../../../tests/golden/sale.json"));
    let shares = json!({
        "operator": golden["shares"]["operator"],
        "operator_parts": golden["shares"]["operator_parts"],
        "works": golden["shares"]["works"],
    });
    let mut core = core();
    let till = core.ok("address.till", json!({ "shares": shares, "mint": golden["mint"] }));
    assert_eq!(till["address"].as_str().unwrap().len(), 44);
    let receipt = json!({
        "transaction": "1".repeat(64),
        "operator": golden["shares"]["operator"],
        "operator_parts": 3,
        "works": [],
        "acceptance": golden["bytes"],
        "seller": golden["mint"],
        "payer": golden["mint"],
        "output_digest": "00".repeat(32),
        "issued_at": 1,
        "signature": "00".repeat(64),
    });
    let forged = json!({ "receipt": receipt, "keys": [{ "key": golden["mint"] }] });
    assert_eq!(core.error("sale.verify", forged, &[]), "receipt-invalid");
}

#[test]
fn request_digest_matches_documented_vector() {
    let arguments = json!({ "method": "POST", "target": "/images?size=1" });
    let digest = core().ok_with("request.digest", arguments, b"{\"prompt\":\"New York\"}");
    let expected = "0d4f7adf583d4d21791014a30ec36787105cfa9246b77c9da2e7e2dd9be83ae6";
    assert_eq!(digest["digest"], expected);
}

#[test]
fn payers_module_has_shared_calls() {
    let mut payers = payers();
    let names = |version: &Value| -> Vec<String> {
        serde_json::from_value(version["calls"].clone()).unwrap()
    };
    let all = names(&core().ok("version", json!({})));
    let own = names(&payers.ok("version", json!({})));
    let shared = |prefix: &str| all.iter().filter(|name| name.starts_with(prefix)).count();
    for prefix in ["payer.", "purchase.", "receipt.", "price.", "voucher.", "proof.", "sale."] {
        assert_eq!(
            own.iter().filter(|name| name.starts_with(prefix)).count(),
            shared(prefix),
            "{prefix}"
        );
    }
    assert!(own.iter().all(|name| all.contains(name)));
    assert_eq!(payers.error("terms.presets", json!({}), &[]), "invalid-call");
    assert_eq!(payers.error("account.decode", json!({}), &[7; 90]), "account-invalid");
}
