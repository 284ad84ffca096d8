//! Accounts of an earlier build, in `tests/fixtures/accounts`.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::golden::{core, payers};

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/accounts");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let fixture: Value = serde_json::from_str(&text).unwrap();
        let kind = fixture["type"].as_str()?.to_owned();
        Some((kind, hex::decode(fixture["data"].as_str().unwrap()).unwrap()))
    };
    fs::read_dir(folder).unwrap().filter_map(read).collect()
}

#[test]
fn fixtures_of_all_types_are_decoded() {
    let (mut core, mut kinds) = (core(), BTreeSet::new());
    for (kind, data) in fixtures() {
        if kind == "StatementBuffer" {
            assert_eq!(core.error("account.decode", json!({}), &data), "account-invalid");
            continue;
        }
        let decoded = core.ok_with("account.decode", json!({}), &data);
        let name = decoded["kind"].as_str().unwrap();
        assert_eq!(name.replace('_', ""), kind.to_lowercase());
        assert!(decoded[name].is_object(), "{decoded}");
        kinds.insert(kind);
        // A byte less, or another type.
        assert_eq!(core.error("account.decode", json!({}), &data[1..]), "account-invalid");
    }
    assert_eq!(kinds.len(), 13, "{kinds:?}");
}

#[test]
fn payer_reads_channel_and_operator() {
    let mut payers = payers();
    for (kind, data) in fixtures() {
        if ["Channel", "Operator"].contains(&&*kind) {
            let decoded = payers.ok_with("account.decode", json!({}), &data);
            assert_eq!(decoded["kind"], kind.to_lowercase());
        } else {
            assert_eq!(payers.error("account.decode", json!({}), &data), "account-invalid");
        }
    }
}

#[test]
fn terms_are_accepted_as_decoded() {
    let (_, data) = fixtures().into_iter().find(|(kind, _)| kind == "Terms").unwrap();
    let mut core = core();
    let terms = core.ok_with("account.decode", json!({}), &data)["terms"].take();
    let digest = core.ok_with("terms.digest", json!({}), &data);
    assert_eq!(digest["digest"], terms["digest"]);
    let document = core
        .ok("terms.document", json!({ "offer": terms["offer"], "currency": terms["currency"] }));
    let parsed = core.ok("terms.parse", json!({ "text": document["toml"], "now": 1 }));
    assert_eq!(parsed["offer"], terms["offer"]);
}

#[test]
fn token_accounts_are_read() {
    let mut core = core();
    let mut tokens = vec![0; 165];
    (tokens[64], tokens[108]) = (9, 1);
    assert_eq!(core.ok_with("token.amount", json!({}), &tokens)["amount"], "9");
    let mut mint = vec![0; 82];
    (mint[44], mint[45]) = (6, 1);
    assert_eq!(core.ok_with("token.decimals", json!({}), &mint)["decimals"], 6);
    assert_eq!(core.error("token.amount", json!({}), &mint), "account-invalid");
}
