use serde_json::{Value, json};

use crate::{
    golden::core,
    module::Pair,
    random::{Random, cases},
};

const USES: [&str; 6] =
    ["generate", "style-transfer", "voice-convert", "train", "fine-tune", "play"];
const UNITS: [&str; 4] = ["generation", "second", "thousand-tokens", "training-run"];
const MINT: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";
const NOW: i64 = 1_800_000_000;

/// Returns random content of terms; most of it is valid.
fn offer(random: &mut Random) -> Value {
    let amount = |random: &mut Random| Value::from(random.amount().to_string());
    let cap = |random: &mut Random| match random.below(3) {
        0 => random.amount().to_string().into(),
        _ => Value::Null,
    };
    let count = random.below(4) + u64::from(!random.one_in(20));
    let first = random.below(6);
    let uses: Vec<_> = (first..first + count)
        .map(|number| {
            let licensed_use = USES[number as usize % USES.len()];
            json!({ "use": licensed_use, "unit": random.of(&UNITS), "price": amount(random) })
        })
        .collect();
    json!({
        "commercial": random.one_in(2),
        "attribution": random.one_in(2),
        "sublicensing": random.one_in(2),
        "approval_required": random.one_in(4),
        "derivatives": random.of(&["forbidden", "approval", "allowed"]),
        "share_alike": random.one_in(2),
        "derivative_share_bps": random.below(10_100),
        "upfront_fee": amount(random),
        "free_units": amount(random),
        "caps": {
            "total_units": cap(random),
            "daily_units": cap(random),
            "licensee_units": cap(random),
            "revenue": cap(random),
        },
        "valid_from": random.below(2 << 30),
        "expires_at": if random.one_in(2) { Value::Null } else { random.below(4 << 30).into() },
        "notice_seconds": random.below(400 * 86_400),
        "legal_digest": hex::encode(random.bytes::<32>()),
        "uses": uses,
        "operators": vec![MINT; random.below(2) as usize],
        "legal_uri": random.of(&["", "https://example.com/l", "https://e.com/\u{202e}"]),
    })
}

/// Parses, summarizes and exports terms.
fn use_all(core: &mut Pair, offer: &Value) -> Value {
    let document = core.ok("terms.document", json!({ "offer": offer, "currency": MINT }));
    let parsed = core.ok("terms.parse", json!({ "text": document["toml"], "now": NOW }));
    let denomination = json!({ "mint": MINT, "decimals": 6 });
    core.ok("terms.summary", json!({ "offer": offer, "denomination": denomination }));
    for format in ["rsl", "cawg"] {
        let export = json!({
            "format": format,
            "offer": offer,
            "denomination": denomination,
            "source": "terms 1",
            "content_url": "https://example.com/",
            "now": NOW,
        });
        core.ok("terms.export", export);
    }
    parsed
}

#[test]
fn random_terms_equal_native() {
    let (mut core, mut random) = (core(), Random::new(3));
    let (mut clean, mut refused) = (0, 0);
    for _ in 0..cases(60) {
        let offer = offer(&mut random);
        let parsed = use_all(&mut core, &offer);
        match parsed["findings"].as_array().unwrap().len() {
            0 => clean += 1,
            _ => refused += 1,
        }
        if parsed["offer"].is_object() {
            assert_eq!(parsed["offer"], offer);
        } else {
            // No uses, or a share above the whole.
            let finding = parsed["findings"][0]["type"].as_str().unwrap();
            assert!(["no-uses", "value"].contains(&finding), "{finding}");
        }
    }
    assert!(clean > 10 && refused > 3, "{clean} clean, {refused} refused");
}

#[test]
fn changed_text_equals_native() {
    let (mut core, mut random) = (core(), Random::new(4));
    let presets = core.ok("terms.presets", json!({}))["presets"].take();
    let presets = presets.as_array().unwrap();
    assert_eq!(presets.len(), 6);
    for _ in 0..cases(200) {
        let preset = &presets[random.below(6) as usize];
        let mut text: Vec<char> = preset["toml"].as_str().unwrap().chars().collect();
        for _ in 0..random.below(4) {
            let place = random.below(text.len() as u64) as usize;
            match random.below(3) {
                0 => drop(text.remove(place)),
                1 => text.insert(place, random.of(&['=', '"', '\n', '#', 'x', '9', '[', 'é'])),
                _ => text[place] = random.of(&['=', '"', '\n', 'x', '0', '.', ']']),
            }
        }
        let text: String = text.into_iter().collect();
        let parsed = core.ok("terms.parse", json!({ "text": text, "decimals": 6, "now": NOW }));
        let is_clean = parsed["findings"].as_array().unwrap().is_empty();
        assert!(!is_clean || parsed["offer"].is_object(), "{text}");
    }
}

#[test]
fn finding_names_line_and_expectation() {
    let text = "comercial = true\n";
    let parsed = core().ok("terms.parse", json!({ "text": text, "now": NOW }));
    let finding = &parsed["findings"][0];
    assert_eq!((&finding["type"], &finding["line"]), (&json!("unknown-key"), &json!(1)));
    assert!(finding["message"].as_str().unwrap().contains("did you mean `commercial`?"));
    assert_eq!((&parsed["document"], &parsed["offer"]), (&Value::Null, &Value::Null));
}

#[test]
fn json_document_equals_toml() {
    let mut core = core();
    let toml = "preset = \"voice-50-50\"\n[[use]]\nuse = \"voice-convert\"\nprice = \"0.5\"\n";
    let json = r#"{"preset":"voice-50-50","use":[{"use":"voice-convert","price":"0.5"}]}"#;
    let [toml, json] = [("toml", toml), ("json", json)].map(|(format, text)| {
        core.ok("terms.parse", json!({ "text": text, "format": format, "decimals": 6, "now": NOW }))
    });
    assert_eq!(toml, json);
    assert_eq!(toml["offer"]["uses"][0]["price"], "500000");
    let wrong = json!({ "text": "{", "format": "json", "now": NOW });
    assert_eq!(core.ok("terms.parse", wrong)["findings"][0]["type"], "syntax");
}

#[test]
fn story_license_is_imported() {
    let pil = r#"{"commercialUse":true,"commercialAttribution":true,"derivativesAllowed":false}"#;
    let import = json!({ "format": "pil", "text": pil, "decimals": 6, "now": NOW });
    let imported = core().ok("terms.import", import);
    assert!(imported["toml"].as_str().unwrap().contains("commercial = true"), "{imported}");
    let wrong = json!({ "format": "pil", "text": "{}", "decimals": 6, "now": NOW });
    assert_eq!(core().error("terms.import", wrong, &[]), "terms-invalid");
}

#[test]
fn hidden_characters_are_escaped() {
    let shown = core().ok("text.visible", json!({ "text": "a\u{1b}b" }));
    assert_eq!(shown["text"], "a\\u{1b}b");
}
