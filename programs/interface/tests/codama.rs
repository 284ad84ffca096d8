//! TypeScript clients that Codama generates from `idl/`, compared with this crate.
//!
//! Needs Node 20 or later and `npm ci --prefix tests/codama`; skips with a message otherwise.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use bytemuck::{Zeroable, bytes_of};
use motif_interface::{
    Pubkey,
    licensing::{Purpose, Use},
    payments::{Channel, Earnings, License, Part, StatementBuffer},
    pda,
    till::{TillShare, TillShares},
};
use serde_json::{Value, json};

/// Set where the test must run, as in the gate.
const REQUIRED: &str = "MOTIF_REQUIRE_CODAMA";

fn key(byte: u8) -> Pubkey {
    Pubkey::new_from_array([byte; 32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn addresses() -> Value {
    let [a, b, c] = [1, 2, 3].map(key);
    let [k, l, m] = [a, b, c].map(|key| key.to_string());
    let salt = u64::MAX - 1;
    let shares = TillShares::new(vec![TillShare { work: a, parts: 3 }], Some((b, 2)));
    json!([
        address("licensing", "config", json!({}), pda::config()),
        address(
            "licensing",
            "work",
            json!({"creator": k, "contentDigest": {"hex": hex(&[9; 32])}}),
            pda::work(&a, &[9; 32]),
        ),
        address("licensing", "terms", json!({"work": k, "number": 70_000}), pda::terms(&a, 70_000)),
        address(
            "licensing",
            "approval",
            json!({"terms": k, "grantee": l, "purpose": 1}),
            pda::approval(&a, &b, Purpose::Derivative),
        ),
        address("licensing", "splitChange", json!({"work": k}), pda::split_change(&a)),
        address("licensing", "dispute", json!({"work": k}), pda::dispute(&a)),
        address("licensing", "mint", json!({"work": k}), pda::certificate(&a)),
        address("payments", "vault", json!({"mint": k}), pda::vault(&a)),
        address(
            "payments",
            "channel",
            json!({"payer": k, "operator": l, "mint": m, "salt": {"integer": salt.to_string()}}),
            pda::channel(&a, &b, &c, salt),
        ),
        address("payments", "earnings", json!({"work": k, "mint": l}), pda::earnings(&a, &b)),
        address("payments", "issuance", json!({"terms": k}), pda::issuance(&a)),
        address(
            "payments",
            "licensee",
            json!({"terms": k, "payer": l, "licensedUse": 3}),
            pda::licensee(&a, &b, Use::Train),
        ),
        address(
            "payments",
            "statementBuffer",
            json!({"channel": k, "settler": l}),
            pda::statement_buffer(&a, &b),
        ),
        address("payments", "operator", json!({"authority": k}), pda::operator(&a)),
        address(
            "payments",
            "till",
            json!({"operator": l, "mint": m, "shares": {"hex": hex(&shares.digest())}}),
            pda::till(&shares, &c),
        ),
    ])
}

fn address(program: &str, name: &str, seeds: Value, address: Pubkey) -> Value {
    json!({"program": program, "name": name, "seeds": seeds, "address": address.to_string()})
}

fn accounts() -> Value {
    let license = |price| License {
        work: key(4),
        price,
        expires_at: i64::MAX,
        units_left: License::UNLIMITED,
        collected: 7,
        ..License::zeroed()
    };
    let channel = Channel {
        version: 1,
        operator_fee_bps: 200,
        payer: key(1),
        deposited: u64::MAX,
        rotates_at: i64::MIN,
        ..Channel::zeroed()
    };
    let licenses = [license(1), license(u64::MAX)];
    let part = Part { key: key(5), taken: 6, share_bps: 10_000, ..Part::zeroed() };
    let earnings = Earnings { work: key(4), own_contested: 8, ..Earnings::zeroed() };
    let buffer = StatementBuffer { channel: key(2), settler: key(3), ..Zeroable::zeroed() };
    let decoded = |license: &License| {
        json!({
            "work": license.work.to_string(),
            "termsNumber": "0",
            "licensedUse": "0",
            "unit": "0",
            "holdsQuota": "0",
            "reserved": "0",
            "day": "0",
            "noticeSeconds": "0",
            "price": license.price.to_string(),
            "quotaPrice": "0",
            "units": "0",
            "freeUnitsLeft": "0",
            "unitsLeft": license.units_left.to_string(),
            "dailyUnits": "0",
            "unitsToday": "0",
            "revenueLeft": "0",
            "expiresAt": license.expires_at.to_string(),
            "settled": "0",
            "collected": "7",
        })
    };
    json!([
        {
            "program": "payments",
            "name": "channel",
            "data": hex(&[
                Channel::DISCRIMINATOR,
                bytes_of(&channel),
                bytes_of(&licenses[0]),
                bytes_of(&licenses[1]),
            ].concat()),
            "fields": {
                "version": "1",
                "operatorFeeBps": "200",
                "payer": channel.payer.to_string(),
                "deposited": channel.deposited.to_string(),
                "rotatesAt": channel.rotates_at.to_string(),
                "licenses": licenses.iter().map(decoded).collect::<Vec<_>>(),
            },
        },
        {
            "program": "payments",
            "name": "earnings",
            "data": hex(&[Earnings::DISCRIMINATOR, bytes_of(&earnings), bytes_of(&part)].concat()),
            "fields": {
                "work": earnings.work.to_string(),
                "ownContested": "8",
                "parts": [{
                    "key": part.key.to_string(),
                    "entitledBefore": "0",
                    "taken": "6",
                    "shareBps": "10000",
                    "reserved": hex(&part.reserved),
                }],
            },
        },
        {
            "program": "payments",
            "name": "statementBuffer",
            "data": hex(&[StatementBuffer::DISCRIMINATOR, bytes_of(&buffer), &[1, 2, 3]].concat()),
            "fields": { "settler": buffer.settler.to_string(), "statement": "010203" },
        },
    ])
}

#[test]
fn generated_clients_agree_with_the_interface() {
    let codama = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/codama");
    let node = Command::new("node").arg("--version").output();
    if node.is_err() || !codama.join("node_modules/codama").exists() {
        let needs = "needs Node 20 or later and `npm ci --prefix tests/codama`";
        assert!(std::env::var_os(REQUIRED).is_none(), "{needs}");
        eprintln!("SKIPPED: {needs}");
        return;
    }
    let mut child = Command::new("npm")
        .args(["run", "--silent", "vectors"])
        .current_dir(codama)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (addresses, accounts) = (addresses(), accounts());
    let count = addresses.as_array().unwrap().len() + accounts.as_array().unwrap().len();
    let vectors = json!({"addresses": addresses, "accounts": accounts}).to_string();
    child.stdin.take().unwrap().write_all(vectors.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert_eq!(printed.trim(), count.to_string());
}
