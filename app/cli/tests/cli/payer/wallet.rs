//! What the wallet pays beside deposits: upfront fees, rent and transaction fees.

use std::fs;

use super::shop::{COST, Shop, amount};
use crate::paywall::PICTURE;

const FEE: u64 = 50_000;

/// Writes the settings of a payer with this budget of a day, base units.
fn settings(shop: &Shop, per_day: u64) {
    let text = format!(
        "[policy]\nmax_unit_price = 1000\nmax_upfront_fee = {FEE}\n[budget]\nper_day = {per_day}\n\
         [channels]\ndeposit = 1000000\n"
    );
    fs::write(shop.world.path("payer.toml"), text).unwrap();
}

#[test]
fn upfront_fee_is_within_budgets() {
    let mut shop = Shop::without_payer();
    let terms = ["--use", "generate=0.001/generation", "--upfront-fee", "0.05"];
    let publish = [&["terms", "publish", PICTURE][..], &terms, &["--keypair", "ines.json"]];
    shop.world.does(&publish.concat());
    // The budget pays for the terms, and not for a picture, too.
    settings(&shop, FEE + COST - 1);
    shop.serve(&["--config", "payer.toml"]);
    let lamports = shop.lamports();
    let refused = shop.buy_picture("x");
    assert_eq!((refused.status, refused.slug().as_str()), (402, "over-budget"));
    assert_eq!(
        shop.curl(&["-H", "motif-dry-run: true", "-d", "{}", &shop.through("/pictures")]).slug(),
        "over-budget"
    );
    assert_eq!((shop.lamports(), shop.spent()), (lamports, 0));
    assert!(shop.channels().is_empty());
    shop.world.stop_logged();

    settings(&shop, FEE + COST);
    shop.serve(&["--config", "payer.toml"]);
    let dry = shop.curl(&["-H", "motif-dry-run: true", "-d", "{}", &shop.through("/pictures")]);
    assert_eq!(amount(&dry.json()["payment"]["upfront_fee"]), FEE);
    assert_eq!(shop.buy_picture("x").status, 200);
    assert_eq!(shop.spent(), FEE + COST);
    let show = ["channel", "show", "--channel", &shop.channels()[0]];
    assert_eq!(shop.world.does(&show)["upfront_fees"], FEE);
    // It counts after SIGKILL, too.
    for _ in 0..2 {
        let lamports = shop.lamports();
        assert_eq!(shop.buy_picture("y").slug(), "over-budget");
        assert_eq!((shop.lamports(), shop.spent()), (lamports, FEE + COST));
        shop.world.stop_logged();
        shop.serve(&["--config", "payer.toml"]);
    }
    let budgets = shop.get("/v1/budgets");
    let local = &budgets["budgets"][1];
    assert_eq!((&local["caller"], amount(&local["spent"])), (&"local".into(), FEE + COST));
    assert_eq!(shop.charged(), COST);
}

#[test]
fn rent_and_fees_are_within_budget() {
    let mut shop = Shop::without_payer();
    let options = |limit: u64| {
        let limit = limit.to_string();
        let tight = ["--deposit", "1020u", "--top-up", "1020u", "--max-locked", "1"];
        let more = ["--max-unit-price", "0.001", "--lamports-per-day", &limit];
        [&tight[..], &more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let serve = |shop: &mut Shop, limit: u64| {
        let options = options(limit);
        shop.serve(&options.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let all = shop.lamports();
    serve(&mut shop, 1_000_000);
    let refused = shop.buy_picture("x");
    assert_eq!((refused.status, refused.slug().as_str()), (402, "over-sol-budget"));
    assert!(refused.json()["detail"].as_str().unwrap().contains("above the budget of 1000000"));
    assert_eq!((shop.lamports(), shop.channels().len(), shop.lamports_spent()), (all, 0, 0));
    shop.world.stop_logged();

    // A channel and a license: exactly what the wallet has paid is counted.
    serve(&mut shop, 100_000_000);
    assert_eq!(shop.buy_picture("x").status, 200);
    let spent = all - shop.lamports();
    assert!(spent > 1_000_000, "{spent}");
    assert_eq!(shop.lamports_spent(), spent);
    let metrics = shop.curl(&[&format!("{}/metrics", shop.payer)]);
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains(&format!("motif_payer_lamports_today {spent}\n")), "{metrics}");
    shop.world.stop_logged();

    // After SIGKILL it still counts: a top-up is refused before it is signed.
    serve(&mut shop, spent);
    assert_eq!(shop.lamports_spent(), spent);
    let refused = shop.buy_picture("y");
    assert_eq!((refused.status, refused.slug().as_str()), (402, "over-sol-budget"));
    let dry = shop.curl(&["-H", "motif-dry-run: true", "-d", "{}", &shop.through("/pictures")]);
    assert_eq!(dry.slug(), "over-sol-budget");
    assert_eq!((shop.lamports(), shop.spent()), (all - spent, COST));
    shop.world.stop_logged();
    serve(&mut shop, 100_000_000);
    assert_eq!(shop.buy_picture("y").status, 200);
    assert_eq!(shop.lamports_spent(), all - shop.lamports());
    assert_eq!((shop.spent(), shop.charged()), (2 * COST, 2 * COST));
}
