use serde_json::{Value, json};

use crate::{
    golden::core,
    random::{Random, cases},
};

fn license(random: &mut Random) -> Value {
    let limit = |random: &mut Random| match random.below(3) {
        0 => Value::Null,
        _ => random.amount().to_string().into(),
    };
    json!({
        "work": "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR",
        "terms_number": random.below(9),
        "use": "generate",
        "unit": "generation",
        "holds_quota": false,
        "day": random.below(20_000),
        "notice_seconds": 0,
        "price": random.amount().to_string(),
        "quota_price": "0",
        "units": random.amount().to_string(),
        "free_units_left": random.amount().to_string(),
        "units_left": limit(random),
        "daily_units": limit(random),
        "units_today": "0",
        "revenue_left": limit(random),
        "expires_at": if random.one_in(3) { Value::Null } else { random.below(1 << 31).into() },
        "settled": random.amount().to_string(),
        "collected": "0",
    })
}

#[test]
fn random_prices_equal_native() {
    let (mut core, mut random) = (core(), Random::new(1));
    let mut charged = 0;
    for _ in 0..cases(1_000) {
        let (units, bps) = (random.amount() as u32, random.below(5_001));
        let now = random.below(1 << 31);
        let license = license(&mut random);
        let answer = core.call(
            "license.charge",
            json!({ "license": license, "units": units, "now": now, "operator_fee_bps": bps }),
        );
        charged += u32::from(answer.get("ok").is_some());
        let quoted = json!({
            "price": license["price"],
            "units": units,
            "free_units": license["free_units_left"],
            "operator_fee_bps": bps,
        });
        let quote = core.call("price.quote", quoted);
        if let (Some(charge), Some(quote)) = (answer.get("ok"), quote.get("ok")) {
            for amount in ["price", "fee", "total"] {
                assert_eq!(charge[amount], quote[amount], "{license}");
            }
        }
    }
    assert!(charged > 50, "{charged} were charged");
}

#[test]
fn charge_names_the_broken_rule() {
    let (mut core, mut license) = (core(), license(&mut Random::new(2)));
    let fields = [("price", "7"), ("free_units_left", "1"), ("units", "0"), ("settled", "0")];
    for (name, value) in fields {
        license[name] = value.into();
    }
    for name in ["daily_units", "revenue_left", "expires_at"] {
        license[name] = Value::Null;
    }
    license["units_left"] = "5".into();
    let call = |license: &Value, units: u32| json!({ "license": license, "units": units, "now": 1, "operator_fee_bps": 5_000 });
    let charge = core.ok("license.charge", call(&license, 5));
    assert_eq!(charge["price"], "28");
    assert_eq!((&charge["fee"], &charge["total"]), (&json!("14"), &json!("42")));
    assert_eq!(charge["license"]["units_left"], "0");
    let refused = core.call("license.charge", call(&charge["license"], 1));
    assert_eq!(refused["error"]["type"], "license-refuses");
    assert!(refused["error"]["reason"].as_str().unwrap().contains("cap"), "{refused}");
}
