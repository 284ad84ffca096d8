//! Budgets hold, whenever the payer is killed.

use std::{thread, time::Duration};

use super::shop::{COST, Shop, number};

#[test]
fn killed_payer_keeps_its_budget() {
    let (kills, clients) = (number("MOTIF_PAYER_KILLS", 6), number("MOTIF_PAYER_CLIENTS", 3));
    // What the budget pays for: less than is asked for.
    let pictures = kills * clients * 2 / 3;
    let budget = format!("{}u", pictures * COST);
    // Answers that killed payers have not paid for bind a part of it.
    let deposit = format!("{}u", 10 * pictures * COST);
    let options =
        ["--deposit", &deposit, "--max-unit-price", "0.001", "--caller-budget-per-day", &budget];
    let mut shop = Shop::open(&options);
    assert_eq!(shop.buy_picture("first").status, 200);
    let channels = shop.channels();
    // Killed while payments are under way, at another moment each time.
    for round in 0..kills {
        thread::scope(|scope| {
            for client in 0..clients {
                let shop = &shop;
                scope.spawn(move || shop.buy_picture(&format!("{round} {client}")));
            }
            thread::sleep(Duration::from_millis(30 + 45 * (round % 6)));
            // SIGKILL: no handler runs, no buffer is flushed.
            shop.world.kill_last();
        });
        shop.world.stop_logged();
        shop.serve(&options);
    }
    // What is left is spent to the last unit, and no unit more.
    let mut refused = None;
    for number in 0..=pictures {
        let answer = shop.buy_picture(&format!("last {number}"));
        if answer.status != 200 {
            refused = Some(answer.slug());
            break;
        }
    }
    assert_eq!(refused.as_deref(), Some("over-budget"));
    assert_eq!(shop.spent(), pictures * COST);
    assert_eq!((shop.channels(), shop.charged()), (channels, pictures * COST));
    // Every payment has its receipt.
    assert_eq!(shop.receipts().len() as u64, pictures);
    shop.world.stop_logged();
    shop.serve(&options);
    assert_eq!(shop.buy_picture("after a restart").slug(), "over-budget");
}
