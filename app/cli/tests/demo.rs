//! The demo adds up, whatever it is asked to tell.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::process::Command;

use serde_json::Value;

fn demo(arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_motif"));
    let ran = command.arg("demo").args(arguments).arg("--json").output().unwrap();
    let stdout = String::from_utf8(ran.stdout).unwrap();
    let last = stdout.lines().last().unwrap_or_default();
    let json = serde_json::from_str(last);
    let stderr = String::from_utf8_lossy(&ran.stderr);
    (ran.status.code().unwrap(), json.unwrap_or_else(|_| panic!("`{last}`\n{stderr}")))
}

fn told(arguments: &[&str]) -> Value {
    let (code, told) = demo(arguments);
    assert_eq!(code, 0, "{told}");
    told
}

fn number(told: &Value, field: &str) -> u64 {
    told[field].as_u64().unwrap_or_else(|| panic!("{field} of {told}"))
}

#[test]
fn one_generation_settles_at_the_same_cost_as_hundreds() {
    let one = told(&["--generations", "1"]);
    let many = told(&["--generations", "300"]);
    for field in ["settle_transactions", "settle_compute_units", "transactions", "lamports_in_fees"]
    {
        assert_eq!(number(&one, field), number(&many, field), "{field}");
    }
    for (story, generations) in [(one, 1), (many, 300)] {
        assert_eq!(number(&story, "receipts_verified"), generations);
        assert_eq!(story["conserved"], true);
        let prices = generations * 1_000;
        let names: Vec<_> = story["recipients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                assert_eq!(one["expected"], one["received"]);
                (one["name"].as_str().unwrap(), one["received"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(names, [("Ines", prices / 10), ("Kofi", prices * 9 / 10)]);
        assert_eq!(number(&story, "operator_fee"), prices / 50);
    }
}

#[test]
fn odd_prices_leave_dust_and_lose_nothing() {
    let story = told(&["--generations", "3", "--price", "7"]);
    // 21 in all: 4 to the picture, half of it each, and 16 to the model's maker.
    let received = |position: usize| story["recipients"][position]["received"].as_u64().unwrap();
    assert_eq!((received(0), received(1), number(&story, "dust")), (2, 18, 1));
    let paid = number(&story, "paid");
    assert_eq!(number(&story, "deposited"), paid + number(&story, "refunded"));
    assert_eq!(paid, 21 + number(&story, "operator_fee"));
}

#[test]
fn a_price_too_small_for_some_shares_still_adds_up() {
    let story = told(&["--generations", "1", "--price", "1"]);
    assert_eq!((number(&story, "paid"), number(&story, "dust")), (1, 1));
    assert_eq!(story["conserved"], true);
}

#[test]
fn the_users_own_picture_is_registered() {
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/coffee.jpg");
    let story = told(&["--generations", "2", "--image", picture]);
    assert_eq!(story["conserved"], true);
}

#[test]
fn what_cannot_be_told_is_refused_before_anything_starts() {
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/ATTRIBUTION.md");
    let refused = [
        (&["--image", "/no/such/picture.png"][..], 1, "unreadable-file"),
        (&["--image", text][..], 1, "not-an-image"),
        (&["--generations", "0"][..], 2, "usage"),
        (&["--price", "0"][..], 2, "usage"),
        (&["--price", "18446744073709551615"][..], 2, "usage"),
    ];
    for (arguments, code, slug) in refused {
        let (exit_code, answer) = demo(arguments);
        assert_eq!(
            (exit_code, answer["error"]["code"].as_str()),
            (code, Some(slug)),
            "{arguments:?}"
        );
        assert!(answer["error"]["message"].is_string());
    }
}
