//! The JSON interface, its metrics and its page.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::shop::{COST, Shop, amount};

#[test]
fn interface_pays_holds_and_captures() {
    let shop = Shop::open(&["--deposit", "1", "--max-unit-price", "0.001"]);
    let post = |path: &str, body: serde_json::Value| {
        shop.post(&format!("{}{path}", shop.payer), &body.to_string())
    };
    let digest = |byte: &str| byte.repeat(32);
    let wanted = json!({ "work": shop.work, "units": 2, "request_digest": digest("01") });
    let with = |more: serde_json::Value| {
        let mut body = wanted.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let dry =
        post("/v1/pay", with(json!({ "output_digest": digest("02"), "dry_run": true }))).json();
    assert_eq!((&dry["most_cost"], &dry["opens_channel"]), (&json!("2040"), &json!(true)));
    let paid = post("/v1/pay", with(json!({ "output_digest": digest("02") }))).json();
    assert_eq!((&paid["units"], &paid["amount"]), (&json!(2), &json!("2000")));
    assert_eq!(paid["output_digest"], digest("02").as_str());

    let held = post("/v1/holds", with(json!({ "seconds": 300 }))).json();
    let capture = json!({ "hold": held, "units": 1, "output_digest": digest("03") });
    assert_eq!(post("/v1/captures", capture.clone()).json()["amount"], "1000");
    // A hold is captured once.
    let again = post("/v1/captures", capture);
    assert_eq!((again.status, again.slug().as_str()), (409, "hold-captured"));
    let held = post("/v1/holds", with(json!({ "seconds": 300 }))).json();
    let released = post("/v1/releases", json!({ "hold": held }));
    assert_eq!((released.status, &released.json()["released"]), (200, &held["hold"]));

    for (body, slug) in [
        (wanted.clone(), "malformed-json"),
        (with(json!({ "output_digest": "zz" })), "malformed-json"),
        (with(json!({ "output_digest": digest("04"), "units": 0 })), "malformed-json"),
        (with(json!({ "output_digest": digest("04"), "use": "train" })), "use-not-licensed"),
    ] {
        assert_eq!(post("/v1/pay", body.clone()).slug(), slug, "{body}");
    }
    assert_eq!(shop.spent(), 3 * COST);
    assert_eq!(shop.get("/v1/channels")["channels"][0]["unanswered"], false);
    assert_eq!(shop.charged(), 3 * COST);

    // What it does is counted, and each exchange is drawn.
    assert_eq!(shop.buy_picture("<script>alert(1)</script>").status, 200);
    let metrics = shop.curl(&[&format!("{}/metrics", shop.payer)]);
    let metrics = String::from_utf8(metrics.body).unwrap();
    for line in [
        "motif_payer_payments_total{caller=\"local\"} 2",
        "motif_payer_requests_total{caller=\"local\",outcome=\"paid\"} 1",
        "motif_payer_spent_today{caller=\"local\"} 4080",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    let health = shop.curl_with(&[&format!("{}/healthz", shop.payer)]);
    assert_eq!((health.status, &health.body[..]), (200, &b"ok\n"[..]));
    let exchange = &shop.get("/v1/exchanges")[0];
    assert_eq!(exchange["request"], format!("POST {}/pictures", shop.paywall).as_str());
    let page = format!("{}/", shop.payer);
    let basic =
        format!("authorization: Basic {}", BASE64_STANDARD.encode(format!("me:{}", shop.token)));
    let drawn = shop.curl_with(&["-H", &basic, &page]);
    assert!(
        drawn.headers.contains("content-security-policy: default-src 'none'"),
        "{}",
        drawn.headers
    );
    let html = String::from_utf8(drawn.body).unwrap();
    assert!(html.contains("<svg") && html.contains("402: 1000 a generation"), "{html}");
    // A browser is asked for the token, and its password opens the page only.
    let asked = shop.curl_with(&[&page]);
    // Each way in a line of its own: Chromium does not answer one with both.
    let ways = asked.headers.lines().filter(|line| line.starts_with("www-authenticate: "));
    let ways: Vec<_> = ways.map(str::trim).collect();
    let basic_way = "www-authenticate: basic realm=\"motif payer\"";
    assert_eq!((asked.status, &ways[..]), (401, &["www-authenticate: bearer", basic_way][..]));
    let forged = shop.curl_with(&["-H", &basic, "-d", "{}", &format!("{}/v1/pay", shop.payer)]);
    assert_eq!(forged.status, 401);
}

#[test]
fn callers_have_tokens_and_budgets() {
    let mut shop = Shop::without_payer();
    let settings = "[policy]\nmax_unit_price = 1000\n[budget]\nper_day = 4080\n\
                    per_caller_per_day = 2040\n[channels]\ndeposit = 100000\n\
                    [callers.studio]\ntoken_file = \"studio.token\"\nper_day = 3060\n";
    std::fs::write(shop.world.path("payer.toml"), settings).unwrap();
    shop.world.does(&["payer", "check", "--config", "payer.toml"]);
    shop.serve(&["--config", "payer.toml"]);
    let local = shop.token.clone();
    let studio = std::fs::read_to_string(shop.world.path("studio.token")).unwrap();
    let mut buy = |token: &str| {
        shop.token = token.trim().to_owned();
        let bought = shop.buy_picture("x");
        if bought.status == 200 { "paid".to_owned() } else { bought.slug() }
    };
    let bought: Vec<_> =
        [&local, &local, &local, &studio, &studio, &studio].map(|token| buy(token)).into();
    // The third of the local caller is above its own budget, the third of the studio above that of all.
    assert_eq!(bought, ["paid", "paid", "over-budget", "paid", "paid", "over-budget"]);
    let shown = shop.get("/v1/budgets");
    let spent = |index: usize| amount(&shown["budgets"][index]["spent"]);
    assert_eq!((spent(0), spent(1), spent(3)), (4 * COST, 2 * COST, 2 * COST));
    assert_eq!(shown["budgets"][3]["caller"], "studio");
}

#[test]
fn payer_settings_are_checked() {
    let world = crate::world::World::empty();
    let example = world.shell("motif payer check --example");
    std::fs::write(world.path("payer.toml"), &example).unwrap();
    let checked = world.does(&["payer", "check", "--config", "payer.toml"]);
    assert_eq!(checked["warnings"].as_array().unwrap().len(), 3);
    std::fs::write(world.path("payer.toml"), "listen = \"0.0.0.0:1\"\n").unwrap();
    world.refuses(&["payer", "check", "--config", "payer.toml"], "payer-settings");
    let tight = ["payer", "check", "--deposit", "2", "--max-locked", "1"];
    world.refuses(&tight, "payer-settings");
}
