//! What a payer signs for an answer behind a paywall, and what it refuses.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use motif_payer::request::paid_request_digest;
use serde_json::{Value, json};
use solana_sha256_hasher::hash;

use crate::{
    gateway::{CHANNEL, End, Gateway, NOW, account},
    payers::Host,
};

const BODY: &[u8] = b"a picture";

fn purchase(license: u16, units: Value) -> Value {
    json!({
        "license": license,
        "units": units,
        "key": "0123456789abcdef",
        "request_digest": hex::encode(paid_request_digest("POST", "/images", b"{}")),
        "expires_at": NOW + 600,
    })
}

fn due(host: &mut Host, purchase: &Value, part: u32, units: u32) -> Value {
    let names = host.ok("purchase.names", json!({ "purchase": purchase, "part": part }));
    json!({
        "answer": names["answer"],
        "part": part,
        "license": purchase["license"],
        "units": units,
        "price": "100",
        "request_digest": purchase["request_digest"],
        "output_digest": hex::encode(hash(BODY).to_bytes()),
        "expires_at": NOW + 600,
        "expected": { "statement": 0, "cumulative": "0", "entries": [] },
    })
}

fn price_tag() -> Value {
    let account = account();
    json!({
        "operator": account.channel.operator.to_string(),
        "cluster": "00".repeat(32),
        "quote": {
            "work": account.licenses[0].work.to_string(),
            "use": "generate",
            "unit": "generation",
            "price": "100",
            "operator_fee_bps": 200,
            "price_with_fee": "102",
            "currency": account.channel.mint.to_string(),
            "terms_number": 1,
            "terms_digest": "00".repeat(32),
            "upfront_fee": "0",
            "free_units": "0",
        },
        "fixed_units": null,
        "most_units": 5,
        "streams": false,
        "hold_seconds": 60,
    })
}

fn header(json: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

#[test]
fn newest_usable_license_is_chosen() {
    let mut host = Host::new(json!({}));
    let mut tag = price_tag();
    tag["quote"]["free_units"] = 0.into();
    let required = json!({ "header": header(&json!({ "price-tag": tag })) });
    let read = host.core.ok("payment_required.read", required);
    assert_eq!(read["price-tag"], tag);
    let choice = host.ok("paywall.license", json!({ "price_tag": tag, "now": NOW }));
    assert_eq!((&choice["license"], &choice["units"]), (&json!(3), &json!({ "at_most": 5 })));
    assert_eq!(choice["most_cost"], "36", "5 units at 7, and 2 % rounded up");
    tag["fixed_units"] = 2.into();
    let choice = host.ok("paywall.license", json!({ "price_tag": tag, "now": NOW }));
    assert_eq!(choice["units"], json!({ "exactly": 2 }));
}

#[test]
fn price_tag_of_another_channel_is_rejected() {
    let mut host = Host::new(json!({}));
    let other = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR";
    let changes: [(&str, Value, &str); 5] = [
        ("/operator", other.into(), "price-tag-mismatch"),
        ("/cluster", "01".repeat(32).into(), "price-tag-mismatch"),
        ("/quote/currency", other.into(), "price-tag-mismatch"),
        ("/most_units", 0.into(), "price-tag-mismatch"),
        ("/quote/work", other.into(), "not-licensed"),
    ];
    for (place, value, expected) in changes {
        let mut tag = price_tag();
        tag["quote"]["free_units"] = 0.into();
        *tag.pointer_mut(place).unwrap() = value;
        let arguments = json!({ "payer": host.payer, "price_tag": tag, "now": NOW });
        assert_eq!(host.core.error("paywall.license", arguments, &[]), expected, "{place}");
    }
}

#[test]
fn due_for_anything_else_is_untrusted() {
    let mut host = Host::new(json!({}));
    let purchase = purchase(0, json!({ "at_most": 3 }));
    let honest = due(&mut host, &purchase, 0, 3);
    let arguments =
        |due: &Value, part: u32| json!({ "purchase": purchase, "part": part, "due": due });
    let generation = host.ok("purchase.due", arguments(&honest, 0))["generation"].take();
    assert_eq!(generation["captures"], json!({ "hold": honest["answer"] }));
    let changes: [(&str, Value); 6] = [
        ("units", 4.into()),
        ("units", 0.into()),
        ("license", 1.into()),
        ("request_digest", "00".repeat(32).into()),
        ("answer", "00".repeat(32).into()),
        ("part", 1.into()),
    ];
    for (field, value) in changes {
        let mut changed = honest.clone();
        changed[field] = value;
        let mut arguments = arguments(&changed, 0);
        arguments["payer"] = host.payer.clone();
        assert_eq!(host.core.error("purchase.due", arguments, &[]), "untrusted", "{field}");
    }
    // A payment that is due again for an earlier part.
    let mut replayed = arguments(&honest, 1);
    replayed["payer"] = host.payer.clone();
    assert_eq!(host.core.error("purchase.due", replayed, &[]), "untrusted");
    let second = due(&mut host, &purchase, 1, 1);
    let generation = host.ok("purchase.due", arguments(&second, 1))["generation"].take();
    assert_eq!(generation["captures"], json!({ "part": second["answer"] }));
}

#[test]
fn only_the_paid_answer_is_accepted() {
    let mut host = Host::new(json!({}));
    let mut gateway = Gateway::new();
    let purchase = purchase(0, json!({ "exactly": 2 }));
    let due = due(&mut host, &purchase, 0, 2);
    let paying = json!({ "purchase": purchase, "part": 0, "due": due });
    let generation = host.ok("purchase.due", paying)["generation"].take();
    host.ok("payer.pay", json!({ "ticket": 9, "generations": [generation] }));
    host.run(&mut gateway, End::Never, |status, body| (status, body));
    let receipt = host.results[&9][0].clone();
    let answer = |header: Value| json!({ "receipt": receipt, "header": header });
    let own = answer(header(&receipt).into());
    host.core.ok_with("purchase.answer", own.clone(), BODY);
    host.core.ok("purchase.shown", own.clone());
    host.core.ok_with("purchase.part", json!({ "receipt": receipt }), BODY);
    assert_eq!(host.core.error("purchase.answer", own, b"another"), "untrusted");
    let other = json!({ "receipt": receipt });
    assert_eq!(host.core.error("purchase.part", other, b"another"), "untrusted");
    let mut forged = receipt.clone();
    forged["amount"] = "1".into();
    for wrong in [Value::Null, "e30".into(), header(&forged).into()] {
        assert_eq!(host.core.error("purchase.answer", answer(wrong), BODY), "untrusted");
    }
    // The same answer again, of a payer that has forgotten it.
    let earlier = json!({
        "payer": host.payer, "purchase": purchase, "header": header(&receipt),
    });
    host.core.ok_with("purchase.earlier", earlier.clone(), BODY);
    assert_eq!(host.core.error("purchase.earlier", earlier, b"another"), "untrusted");
}

#[test]
fn signed_requests_are_those_of_the_payer() {
    let mut host = Host::new(json!({}));
    let purchase = purchase(0, json!({ "at_most": 3 }));
    let mut messages = std::collections::BTreeSet::new();
    let hold = "0c".repeat(32);
    for action in [
        json!("settle"),
        json!("close"),
        json!({ "hold": purchase }),
        json!({ "release": hold }),
        json!({ "read": NOW + 900 }),
    ] {
        let request = host.ok("payer.request", json!({ "action": action, "issued_at": NOW }));
        let message = request["message"].as_str().unwrap().to_owned();
        assert_eq!(message.len(), 2 * 161);
        assert!(messages.insert(message));
    }
    let proof = json!({
        "signer": account().channel.voucher_key.to_string(),
        "issued_at": NOW,
        "signature": "0d".repeat(64),
    });
    let ask = host.ok("purchase.ask", json!({ "purchase": purchase, "proof": proof }));
    let ask = BASE64_URL_SAFE_NO_PAD.decode(ask["header"].as_str().unwrap()).unwrap();
    let ask: Value = serde_json::from_slice(&ask).unwrap();
    assert_eq!((&ask["channel"], &ask["units"]), (&json!(CHANNEL.to_string()), &json!(3)));
    assert_eq!(ask["proof"], proof);
    let reader = host.ok("payer.reader_header", json!({ "expires_at": NOW + 900, "proof": proof }));
    assert!(reader["header"].is_string());
    let names = host.ok("purchase.names", json!({ "purchase": purchase, "part": 0 }));
    let facts = json!({
        "hold": names["answer"], "channel": CHANNEL.to_string(), "license": 0, "units": 3,
        "request_digest": purchase["request_digest"], "expires_at": NOW, "state": "open",
    });
    let check = json!({ "purchase": purchase, "facts": facts });
    assert_eq!(host.ok("hold.check", check)["hold"], names["answer"]);
}

#[test]
fn stream_events_are_parsed() {
    let mut host = Host::new(json!({}));
    let purchase = purchase(0, json!({ "at_most": 3 }));
    let due = due(&mut host, &purchase, 0, 1);
    let event = |name: &str, data: &Value| format!("event: {name}\ndata: {data}");
    let core = &mut host.core;
    let read = core.ok_with("stream.event", json!({}), event("due", &due).as_bytes());
    assert_eq!((&read["event"], &read["due"]), (&json!("due"), &due));
    assert_eq!(core.ok_with("stream.event", json!({}), b": ping")["event"], Value::Null);
    let end = json!({ "parts": 1, "units": 2, "bytes": 3, "last_receipt": null });
    let read = core.ok_with("stream.event", json!({}), event("end", &end).as_bytes());
    assert_eq!(read["end"], end);
    let failed = json!({ "type": "upstream-failed", "detail": "no" });
    let read = core.ok_with("stream.event", json!({}), event("failed", &failed).as_bytes());
    assert_eq!(read["error"]["problem"]["type"], "upstream-failed");
    for wrong in [&b"event: due\ndata: {"[..], b"event: other\ndata: {}", b"\xFF"] {
        assert_eq!(core.error("stream.event", json!({}), wrong), "untrusted");
    }
}
