use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_interface::{
    Currency, Pubkey,
    channel::{self, OpenChannelArgs},
    earnings,
    licensing::{self, Registration, WorkKind},
};
use serde_json::{Value, json};

use crate::golden::core;

fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

fn address(number: u8) -> String {
    key(number).to_string()
}

/// Returns valid arguments of every call that builds instructions.
fn arguments() -> Vec<(&'static str, Value)> {
    let a = address;
    let digest = "0a".repeat(32);
    let offer = json!({ "uses": [{ "use": "generate", "unit": "generation", "price": "1000" }] });
    let shares = json!({ "works": [{ "work": a(1), "parts": 4 }] });
    let split = json!([{ "recipient": a(1), "share_bps": 4_000 }, { "recipient": a(2), "share_bps": 6_000 }]);
    let right = json!({ "license": { "terms_number": 1, "channel": a(5), "index": 2 } });
    let parents = json!([
        { "work": a(3), "share_bps": 100, "right": { "owner_signs": a(4) } },
        { "work": a(5), "share_bps": 100, "right": { "terms": 1 } },
        { "work": a(6), "share_bps": 100, "right": { "approval": 2 } },
        { "work": a(7), "share_bps": 100, "right": right },
    ]);
    let registration = json!({
        "kind": "style-model",
        "content_digest": digest,
        "fingerprint": { "scheme": 5, "bits": digest },
        "title": "Nova",
        "model": { "base_model": "sdxl", "training_root": digest },
        "parents": parents,
        "split": split,
    });
    let voucher = json!({
        "cluster": digest, "channel": a(2), "opened_slot": 1, "statement": 0, "cumulative": "5",
        "statement_digest": digest, "expires_at": 9, "signature": "0b".repeat(64),
    });
    let licenses = json!([{ "index": 0, "work": a(1) }, { "index": 1, "work": a(2) }]);
    let terms = include_str!("../../../../tests/fixtures/accounts/licensing.Terms.json");
    let terms: Value = serde_json::from_str(terms).unwrap();
    let terms = BASE64_STANDARD.encode(hex::decode(terms["data"].as_str().unwrap()).unwrap());
    vec![
        ("create_vault", json!({ "funder": a(1), "mint": a(2) })),
        ("create_tokens", json!({ "funder": a(1), "owner": a(3), "mint": a(2) })),
        (
            "register_work",
            json!({ "creator": a(1), "consent": a(9), "registration": registration }),
        ),
        (
            "publish_terms",
            json!({ "owner": a(1), "work": a(2), "latest_terms": 0, "currency": a(3), "offer": offer }),
        ),
        (
            "update_metadata",
            json!({
                "owner": a(1), "work": a(2), "title": "t", "metadata_uri": "u",
                "metadata_digest": digest,
            }),
        ),
        ("offer_ownership", json!({ "owner": a(1), "work": a(2), "to": a(3) })),
        ("withdraw_work", json!({ "owner": a(1), "work": a(2) })),
        ("set_consent_end", json!({ "person": a(1), "work": a(2), "expires_at": 5 })),
        (
            "grant_approval",
            json!({
                "owner": a(1), "work": a(2), "terms_number": 1, "grantee": a(3),
                "purpose": "license",
            }),
        ),
        (
            "revoke_approval",
            json!({
                "owner": a(1), "work": a(2), "terms_number": 1, "grantee": a(3),
                "purpose": "derivative", "granted_by": a(1),
            }),
        ),
        ("issue_certificate", json!({ "owner": a(1), "work": a(2), "name": "Nova" })),
        ("propose_split", json!({ "owner": a(1), "work": a(2), "split": split })),
        ("approve_split_change", json!({ "recipient": a(1), "work": a(2), "split": split })),
        ("apply_split_change", json!({ "payer": a(1), "work": a(2), "proposer": a(3) })),
        ("cancel_split_change", json!({ "owner": a(1), "work": a(2), "proposer": a(3) })),
        (
            "open_channel",
            json!({
                "payer": a(1), "operator": a(2), "mint": a(3), "salt": "18446744073709551615",
                "voucher_key": a(4), "operator_fee_bps": 200, "grace_seconds": 3_600,
                "deposit": "5000000",
            }),
        ),
        ("top_up", json!({ "payer": a(1), "channel": a(2), "mint": a(3), "amount": "7" })),
        (
            "accept_terms",
            json!({
                "payer": a(1), "channel": a(2), "terms": terms, "use": "generate",
                "max_price": "1000", "quota": { "units": "5" }, "approval": true,
            }),
        ),
        (
            "settle",
            json!({
                "settler": a(1), "operator": a(2), "voucher": voucher, "voucher_key": a(3),
                "statement": "000001000000",
            }),
        ),
        ("apply_withdrawal", json!({ "channel": a(1), "licenses": licenses })),
        (
            "release_quota",
            json!({ "caller": a(1), "channel": a(2), "index": 3, "work": a(4), "terms_number": 1 }),
        ),
        ("rotate_voucher_key", json!({ "payer": a(1), "channel": a(2), "new_key": a(3) })),
        ("collect", json!({ "channel": a(1), "mint": a(2), "licenses": licenses })),
        (
            "claim_fees",
            json!({ "channel": a(1), "operator": a(2), "fee_owner": a(3), "mint": a(4) }),
        ),
        ("request_close", json!({ "caller": a(1), "party": a(2), "channel": a(3) })),
        ("withdraw", json!({ "payer": a(1), "channel": a(2), "mint": a(3) })),
        ("close_channel", json!({ "payer": a(1), "channel": a(2) })),
        ("open_earnings", json!({ "funder": a(1), "work": a(2), "mint": a(3) })),
        ("pull", json!({ "child": a(1), "parent": a(2), "mint": a(3) })),
        ("apply_split", json!({ "funder": a(1), "work": a(2), "mint": a(3) })),
        ("apply_dispute", json!({ "work": a(1), "mint": a(2) })),
        (
            "claim",
            json!({ "work": a(1), "recipients": [{ "position": 1, "recipient": a(2) }], "mint": a(3) }),
        ),
        ("claim_to", json!({ "work": a(1), "recipient": a(2), "mint": a(3), "destination": a(4) })),
        (
            "register_operator",
            json!({
                "funder": a(1), "authority": a(2), "settle_key": a(3), "receipt_key": a(4),
                "fee_owner": a(5),
            }),
        ),
        (
            "update_operator",
            json!({
                "authority": a(1), "fee_bps": 1, "min_grace_seconds": 2, "fee_owner": a(3),
                "url": "https://e.com",
            }),
        ),
        ("rotate_operator_key", json!({ "authority": a(1), "which": "settle", "new_key": a(2) })),
        ("open_till", json!({ "funder": a(1), "shares": shares, "mint": a(2) })),
        (
            "pay_till",
            json!({ "payer": a(1), "shares": shares, "mint": a(2), "decimals": 6, "amount": "9" }),
        ),
        ("sweep_till", json!({ "shares": shares, "mint": a(2), "fee_owner": a(3) })),
    ]
}

#[test]
fn every_instruction_is_built() {
    let mut core = core();
    let calls = core.ok("version", json!({}))["calls"].take();
    let calls =
        calls.as_array().unwrap().iter().filter_map(|name| {
            name.as_str().unwrap().strip_prefix("instruction.").map(str::to_owned)
        });
    let calls: BTreeSet<_> = calls.collect();
    let listed: BTreeSet<_> = arguments().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(calls, listed);
    for (name, arguments) in arguments() {
        let built = core.ok(&format!("instruction.{name}"), arguments.clone());
        let first = &built["instructions"][0];
        assert!(first["program"].is_string() && first["accounts"].is_array(), "{name}");
        let mut unknown = arguments;
        unknown["surprise"] = 1.into();
        assert_eq!(core.error(&format!("instruction.{name}"), unknown, &[]), "invalid-call");
    }
}

/// Returns the instructions as calls return them.
fn expected(instructions: &[solana_instruction::Instruction]) -> Value {
    let account = |account: &solana_instruction::AccountMeta| {
        json!({
            "address": account.pubkey.to_string(),
            "is_signer": account.is_signer,
            "is_writable": account.is_writable,
        })
    };
    let instruction = |built: &solana_instruction::Instruction| {
        json!({
            "program": built.program_id.to_string(),
            "accounts": built.accounts.iter().map(account).collect::<Vec<_>>(),
            "data": BASE64_STANDARD.encode(&built.data),
        })
    };
    instructions.iter().map(instruction).collect()
}

#[test]
fn instructions_are_those_of_the_interface() {
    let mut core = core();
    let listed = arguments();
    let mut built = |name: &str| {
        let (_, arguments) = listed.iter().find(|(listed, _)| *listed == name).unwrap();
        core.ok(&format!("instruction.{name}"), arguments.clone())["instructions"].take()
    };
    let currency = Currency::spl(key(3));
    let args = OpenChannelArgs {
        salt: u64::MAX,
        voucher_key: key(4),
        operator_fee_bps: 200,
        grace_seconds: 3_600,
        deposit: 5_000_000,
        watcher: None,
    };
    let open = channel::open(&key(1), &key(2), &currency, args);
    assert_eq!(built("open_channel"), expected(&[open]));
    let claim = earnings::claim_batch(&key(1), &[(1, key(2))], &currency);
    assert_eq!(built("claim"), expected(&[claim]));
    let withdraw = licensing::withdraw_work(&key(1), &key(2));
    assert_eq!(built("withdraw_work"), expected(&[withdraw]));
    let registration = Registration::new(WorkKind::Image, [10; 32], &key(1));
    let register = licensing::register_work(&key(1), None, &registration, &[]);
    let plain = json!({ "kind": "image", "content_digest": "0a".repeat(32) });
    let plain = json!({ "creator": address(1), "registration": plain });
    let plain = core.ok("instruction.register_work", plain)["instructions"].take();
    assert_eq!(plain, expected(&[register]));
}
