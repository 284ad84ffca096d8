//! Budgets hold, whenever the payer is killed, and whatever its state folder has lost.

use std::{fs, path::PathBuf, thread, time::Duration};

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

/// Returns the only file of a folder with this ending.
fn only_file(shop: &Shop, folder: &str, ending: &str) -> PathBuf {
    let files = fs::read_dir(shop.state_file(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|kind| kind == ending));
    let (file, others) = (files.next().unwrap(), files.count());
    assert_eq!(others, 0);
    file
}

/// Waits until the day's file has this number of receipts, at most a minute.
fn until_archived(shop: &Shop, count: usize) {
    for _ in 0..600 {
        if shop.receipts().len() == count {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{count} receipts were not archived");
}

#[test]
fn budget_survives_lost_state() {
    let budget = format!("{}u", 7 * COST);
    let options = ["--deposit", "1", "--max-unit-price", "0.001", "--budget-per-day", &budget];
    let mut shop = Shop::open(&options);
    let buy = |shop: &Shop, count: u64| {
        for number in 0..count {
            assert_eq!(shop.buy_picture(&format!("{number}")).status, 200);
        }
    };
    buy(&shop, 2);
    until_archived(&shop, 2);
    shop.world.stop_logged();
    let state = only_file(&shop, "channels", "state");
    let older = fs::read(&state).unwrap();
    shop.serve(&options);
    buy(&shop, 2);
    until_archived(&shop, 4);
    shop.world.stop_logged();

    fs::write(&state, &older).unwrap();
    shop.serve(&options);
    assert_eq!(shop.spent(), 4 * COST);
    buy(&shop, 1);
    // The receipt of a payment that the older file does not have is kept, too.
    until_archived(&shop, 5);
    shop.world.stop_logged();

    fs::remove_file(&state).unwrap();
    shop.serve(&options);
    assert_eq!(shop.spent(), 5 * COST);
    // Deleted while it is in use.
    fs::remove_file(&state).unwrap();
    buy(&shop, 1);
    shop.world.stop_logged();
    shop.serve(&options);
    assert_eq!(shop.spent(), 6 * COST);
    shop.world.stop_logged();

    // Without receipts, what is missing counts as spent on the day on which it is found.
    fs::remove_file(&state).unwrap();
    fs::remove_dir_all(shop.state_file("receipts")).unwrap();
    shop.serve(&options);
    assert_eq!(shop.spent(), 6 * COST);
    buy(&shop, 1);
    assert_eq!(shop.buy_picture("above the budget").slug(), "over-budget");
    shop.world.stop_logged();
    fs::remove_file(shop.state_file("totals.json")).unwrap();
    shop.serve(&options);
    assert_eq!(shop.buy_picture("above the budget").slug(), "over-budget");
    assert_eq!((shop.spent(), shop.charged()), (7 * COST, 7 * COST));
    shop.world.stop_logged();

    fs::write(&state, "").unwrap();
    let serve = ["payer", "serve", "--keypair", "platform.json", "--listen", "127.0.0.1:0"];
    shop.world.refuses(&[&serve[..], &options].concat(), "state-invalid");
}

#[test]
fn full_disk_leaves_whole_receipts() {
    const KIB: u32 = 256;
    let options = ["--deposit", "1", "--max-unit-price", "0.001"];
    let mut shop = Shop::open(&options);
    assert_eq!(shop.buy_picture("first").status, 200);
    until_archived(&shop, 1);
    shop.world.stop_logged();
    // Blank lines leave space for a part of a receipt.
    let receipts = only_file(&shop, "receipts", "jsonl");
    let mut text = fs::read(&receipts).unwrap();
    text.resize(KIB as usize * 1_024 - 100, b'\n');
    fs::write(&receipts, &text).unwrap();
    shop.world.max_file_kib = Some(KIB);
    shop.serve(&options);
    for prompt in ["second", "third"] {
        assert_eq!(shop.buy_picture(prompt).status, 200);
        thread::sleep(Duration::from_secs(1));
        assert!(fs::read(&receipts).unwrap() == text, "a part of a line was left");
    }
    shop.world.stop_last();
    shop.world.max_file_kib = None;
    shop.serve(&options);
    assert_eq!(shop.receipts().len(), 3);
    assert_eq!(shop.charged(), 3 * COST);
    let verified = shop.world.does(&["receipt", "verify", receipts.to_str().unwrap()]);
    assert_eq!((&verified["verified"], &verified["repeated"]), (&3.into(), &0.into()));
}
