//! What a payment needs first is done once all of it is allowed.

use super::shop::{COST, Shop};

/// Returns the error of a dry run.
fn dry_run(shop: &Shop, headers: &[&str]) -> String {
    let url = shop.through("/pictures");
    shop.curl(&[&["-H", "motif-dry-run: true", "-d", "{}", &url][..], headers].concat()).slug()
}

#[test]
fn refused_request_signs_nothing() {
    let mut shop = Shop::without_payer();
    let lamports = shop.lamports();
    let (cost, less) = (format!("{COST}u"), format!("{}u", COST - 1));
    let (cost, less) = (cost.as_str(), less.as_str());
    let none: &[&str] = &[];
    let price = ["--max-unit-price", "0.001"];
    let deposit = ["--deposit", "1"];
    let with = |more: &[&'static str]| -> Vec<&str> { [&deposit[..], &price, more].concat() };
    for (options, headers, slug) in [
        ([&deposit[..], &["--max-unit-price", "999u"]].concat(), none, "price-too-high"),
        (deposit.to_vec(), none, "terms-not-accepted"),
        ([&with(&["--budget-per-day"])[..], &[less]].concat(), none, "over-budget"),
        ([&with(&["--caller-budget-per-day"])[..], &[less]].concat(), none, "over-budget"),
        (with(&[]), &["-H", "motif-max-cost: 1019"][..], "cost-too-high"),
        // Rent and fee of the channel, and not of the license.
        (with(&["--lamports-per-day", "9000000"]), none, "over-sol-budget"),
        (price.to_vec(), none, "no-channel"),
        ([&price[..], &["--deposit", "1000000000"]].concat(), none, "no-channel"),
        ([&price[..], &["--deposit", less]].concat(), none, "deposit-used-up"),
        (
            [&price[..], &["--deposit", less, "--top-up", cost, "--max-locked", cost]].concat(),
            none,
            "deposit-used-up",
        ),
    ] {
        shop.serve(&options);
        let url = shop.through("/pictures");
        let bought = shop.curl(&[&["-d", "{}", &url][..], headers].concat());
        assert_eq!((bought.status, bought.slug().as_str()), (402, slug), "{options:?}");
        // A dry run predicts the refusal.
        assert_eq!(dry_run(&shop, headers), slug, "{options:?}");
        assert_eq!(shop.lamports(), lamports, "{options:?}");
        assert!(shop.channels().is_empty(), "{options:?}");
        shop.world.stop_logged();
    }
    let url = format!("{}/pictures", shop.paywall);
    let pay = ["pay", &url, "-d", "{}", "-o", "a.png", "--keypair", "platform.json"];
    let pay = [&pay[..], &["--deposit", "1", "--max-price", less]].concat();
    shop.world.refuses(&pay, "cost-too-high");
    assert_eq!((shop.lamports(), shop.server.asked()), (lamports, 0));
}

#[test]
fn empty_wallet_is_named() {
    let shop = Shop::without_payer();
    shop.world.does(&["key", "new", "poor.json"]);
    let url = format!("{}/pictures", shop.paywall);
    let pay = ["pay", &url, "-d", "{}", "-o", "a.png", "--keypair", "poor.json"];
    let pay = [&pay[..], &["--deposit", "1", "--max-price", "0.01"]].concat();
    let refused = shop.world.refuses(&pay, "no-channel");
    assert!(refused["error"]["help"].as_str().unwrap().starts_with("fund the wallet"), "{refused}");
}

#[test]
fn unresponsive_gateway_is_named() {
    let mut shop = Shop::open(&["--deposit", "1", "--max-unit-price", "0.001"]);
    assert_eq!(shop.buy_picture("one").status, 200);
    let shown = shop.get("/v1/channels");
    let [channel, operator] = ["channel", "operator"].map(|name| &shown["channels"][0][name]);
    shop.world.stop_logged();
    shop.world.stop_last(); // the gateway
    // What was spent there is unknown.
    let settings =
        format!("gateway_urls = [\"{}\", \"http://127.0.0.1:1\"]", shop.world.gateway_url);
    std::fs::write(shop.world.path("payer.toml"), settings).unwrap();
    shop.serve(&["--config", "payer.toml", "--wait-seconds", "1"]);
    let digest = "01".repeat(32);
    let mut pay = serde_json::json!({
        "work": shop.work, "units": 1, "request_digest": digest, "output_digest": digest
    });
    let url = format!("{}/v1/pay", shop.payer);
    let detail = |pay: &serde_json::Value, slug: &str| {
        let refused = shop.post(&url, &pay.to_string());
        assert_eq!(refused.slug(), slug);
        refused.json()["detail"].as_str().unwrap().to_owned()
    };
    let lacking = detail(&pay, "malformed-json");
    assert!(lacking.contains("required with several gateways"), "{lacking}");
    pay["operator"] = operator.clone();
    for _ in 0..2 {
        let refused = detail(&pay, "gateway-unresponsive");
        for named in [channel, operator] {
            assert!(refused.contains(named.as_str().unwrap()), "{refused}");
        }
    }
    let logs = shop.world.stop_logged();
    let warned = format!("the gateway of channel {}", channel.as_str().unwrap());
    assert!(logs.contains(&warned), "{logs}");
}

#[test]
fn concurrent_first_requests_share_a_channel() {
    // The budget pays for half of them.
    let budget = format!("{}u", 4 * COST);
    let options = ["--deposit", "1", "--max-unit-price", "0.001", "--budget-per-day", &budget];
    let shop = Shop::open(&options);
    let buying = |shop: &Shop, number: usize| shop.buy_picture(&format!("picture {number}"));
    let answers: Vec<_> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|one| (one, &shop)).collect();
        let clients = clients.into_iter().map(|(one, shop)| scope.spawn(move || buying(shop, one)));
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|client| client.join().unwrap().status).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 4, "{answers:?}");
    assert_eq!((shop.channels().len(), shop.spent(), shop.charged()), (1, 4 * COST, 4 * COST));
}

#[test]
fn first_command_tops_up() {
    // Without `max_locked`, the deposit and one top-up are locked at most.
    let deposit = format!("{COST}u");
    let options = ["--deposit", &deposit, "--top-up", &deposit, "--max-unit-price", "0.001"];
    let shop = Shop::open(&options);
    for prompt in ["one", "two"] {
        let bought = shop.buy_picture(prompt);
        assert_eq!(bought.status, 200, "{}", String::from_utf8_lossy(&bought.body));
    }
    // Both are spent, and not settled yet: they count as locked, also in a dry run.
    assert_eq!(shop.buy_picture("three").slug(), "deposit-used-up");
    assert_eq!(dry_run(&shop, &[]), "deposit-used-up");
    assert_eq!((shop.charged(), shop.spent()), (2 * COST, 2 * COST));
    assert_eq!(shop.buy_picture("three").status, 200);
}
