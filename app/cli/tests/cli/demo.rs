//! `motif demo`: amounts add up for various prices and counts.

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

fn report(arguments: &[&str]) -> Value {
    let (code, report) = demo(arguments);
    assert_eq!(code, 0, "{report}");
    report
}

fn number(report: &Value, field: &str) -> u64 {
    report[field].as_u64().unwrap_or_else(|| panic!("{field} of {report}"))
}

#[test]
fn settlement_cost_is_independent_of_count() {
    let one = report(&["--generations", "1"]);
    let many = report(&["--generations", "300"]);
    for field in ["settle_transactions", "settle_compute_units", "transactions", "lamports_in_fees"]
    {
        assert_eq!(number(&one, field), number(&many, field), "{field}");
    }
    for (demo_report, generations) in [(one, 1), (many, 300)] {
        assert_eq!(number(&demo_report, "receipts_verified"), generations);
        assert_eq!(demo_report["conserved"], true);
        let prices = generations * 1_000;
        let names: Vec<_> = demo_report["recipients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                assert_eq!(one["expected"], one["received"]);
                (one["name"].as_str().unwrap(), one["received"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(names, [("Ines", prices / 10), ("Kofi", prices * 9 / 10)]);
        assert_eq!(number(&demo_report, "operator_fee"), prices / 50);
        let sale = &demo_report["sale"];
        assert_eq!((number(sale, "paid"), number(sale, "to_creators")), (1_020, 1_000));
        assert_eq!((number(sale, "to_operator"), number(sale, "waiting")), (20, 0));
    }
}

#[test]
fn odd_prices_leave_dust() {
    let demo_report = report(&["--generations", "3", "--price", "7u"]);
    // 21 in total: 4 to the picture, shared by two, and 16 to the model's maker.
    let received =
        |position: usize| demo_report["recipients"][position]["received"].as_u64().unwrap();
    assert_eq!((received(0), received(1), number(&demo_report, "dust")), (2, 18, 1));
    let paid = number(&demo_report, "paid");
    assert_eq!(number(&demo_report, "deposited"), paid + number(&demo_report, "refunded"));
    assert_eq!(paid, 21 + number(&demo_report, "operator_fee"));
}

#[test]
fn tiny_price_adds_up() {
    let demo_report = report(&["--generations", "1", "--price", "1u"]);
    assert_eq!((number(&demo_report, "paid"), number(&demo_report, "dust")), (1, 1));
    assert_eq!(demo_report["conserved"], true);
}

#[test]
fn given_image_is_registered() {
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/coffee.jpg");
    let demo_report = report(&["--generations", "2", "--image", picture]);
    assert_eq!(demo_report["conserved"], true);
}

#[test]
fn invalid_arguments_are_rejected_at_once() {
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/ATTRIBUTION.md");
    let refused = [
        (&["--image", "/no/such/picture.png"][..], 1, "unreadable-file"),
        (&["--image", text][..], 1, "not-an-image"),
        (&["--generations", "0"][..], 2, "usage"),
        (&["--price", "0"][..], 2, "usage"),
        (&["--price", "18446744073709551615u"][..], 2, "usage"),
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
