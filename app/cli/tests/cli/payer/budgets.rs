//! Budgets hold, whenever the payer is killed.

use std::{thread, time::Duration};

use super::shop::{COST, Shop};

/// Number of pictures that the budget pays for.
const PICTURES: u64 = 12;

#[test]
fn killed_payer_keeps_its_budget() {
    let budget = format!("{}u", PICTURES * COST);
    let options =
        ["--deposit", "1", "--max-unit-price", "0.001", "--caller-budget-per-day", &budget];
    let mut shop = Shop::open(&options);
    assert_eq!(shop.buy_picture("first").status, 200);
    let channels = shop.channels();
    // Killed while payments are under way, at another moment each time.
    for round in 0..6_u64 {
        thread::scope(|scope| {
            for client in 0..3 {
                let shop = &shop;
                scope.spawn(move || shop.buy_picture(&format!("{round} {client}")));
            }
            thread::sleep(Duration::from_millis(30 + 45 * round));
            // SIGKILL: no handler runs, no buffer is flushed.
            shop.world.kill_last();
        });
        shop.world.stop_logged();
        shop.serve(&options);
    }
    // What is left is spent to the last unit, and no unit more.
    let mut refused = None;
    for number in 0..=PICTURES {
        let answer = shop.buy_picture(&format!("last {number}"));
        if answer.status != 200 {
            refused = Some(answer.slug());
            break;
        }
    }
    assert_eq!(refused.as_deref(), Some("over-budget"));
    assert_eq!(shop.spent(), PICTURES * COST);
    assert_eq!((shop.channels(), shop.charged()), (channels, PICTURES * COST));
    // Every payment has its receipt.
    let receipts = shop.get("/v1/receipts");
    assert_eq!(receipts["receipts"].as_array().unwrap().len() as u64, PICTURES);
    shop.world.stop_logged();
    shop.serve(&options);
    assert_eq!(shop.buy_picture("after a restart").slug(), "over-budget");
}
