//! One budget over channels with two operators, each with a gateway and a paywall of its own.

use std::{fs, thread, time::Duration};

use super::shop::{COST, Shop, charged_by, number};

/// Returns a port that was free.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn two_operators_share_one_budget() {
    let (kills, clients) = (number("MOTIF_PAYER_KILLS", 4), number("MOTIF_PAYER_CLIENTS", 4));
    // Less than is asked for.
    let pictures = kills * clients * 2 / 3 + 2;
    let mut shop = Shop::without_payer();
    shop.world.does(&["key", "new", "--airdrop", "second.json"]);
    let second = format!("http://127.0.0.1:{}", free_port());
    let limits = "[paywall]\nunpaid = 1024\nspool = \"second-paywall\"\n";
    fs::write(shop.world.path("second.toml"), limits).unwrap();
    let serve = ["gateway", "serve", "--gateway-url", &second, "--config", "second.toml"];
    let keep = ["--keypair", "second.json", "--store", "second.sqlite"];
    let sell = ["--paywall-listen", "127.0.0.1:0", "--paywall-routes", "paywall.toml"];
    let served = shop.world.spawn(&[&serve[..], &keep, &sell].concat());
    let paywalls = [shop.paywall.clone(), served["paywall_url"].as_str().unwrap().to_owned()];
    let settings = format!(
        "gateway_urls = [\"{0}\", \"{second}\"]\n[policy]\nmax_unit_price = 1000\n\
         [budget]\nper_day = {1}\n[channels]\ndeposit = {2}\nmax_locked = {3}\n\
         [proxy]\nprivate_targets = [\"{4}\"]\n",
        shop.world.gateway_url,
        pictures * COST,
        // Answers that killed payers have not paid for bind a part of it.
        10 * pictures * COST,
        20 * pictures * COST,
        paywalls[1].strip_prefix("http://").unwrap(),
    );
    fs::write(shop.world.path("payer.toml"), settings).unwrap();
    let options = ["--config", "payer.toml"];
    shop.serve(&options);
    let buy = |shop: &Shop, number: u64, prompt: &str| {
        let paywall = &paywalls[(number % 2) as usize];
        let body = serde_json::json!({ "prompt": prompt }).to_string();
        shop.post(&format!("{}/{paywall}/pictures", shop.payer), &body)
    };
    for number in 0..2 {
        let bought = buy(&shop, number, "first");
        assert_eq!(bought.status, 200, "{}", String::from_utf8_lossy(&bought.body));
    }
    // Killed while clients pay both operators, at another moment each time.
    for round in 0..kills {
        thread::scope(|scope| {
            for client in 0..clients {
                let (shop, buy) = (&shop, &buy);
                scope.spawn(move || buy(shop, client, &format!("{round} {client}")));
            }
            thread::sleep(Duration::from_millis(40 + 60 * (round % 6)));
            // SIGKILL: no handler runs, no buffer is flushed.
            shop.world.kill_last();
        });
        shop.world.stop_logged();
        shop.serve(&options);
        assert!(shop.spent() <= pictures * COST, "round {round}");
    }
    // What is left is spent to the last unit by concurrent clients, and no unit more.
    let answers: Vec<_> = thread::scope(|scope| {
        let (shop, buy) = (&shop, &buy);
        let buying = (0..pictures + 2)
            .map(|number| scope.spawn(move || buy(shop, number, &format!("last {number}"))))
            .collect::<Vec<_>>();
        buying.into_iter().map(|buying| buying.join().unwrap()).collect()
    });
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(refused.len() >= 2);
    for answer in refused {
        assert_eq!((answer.status, answer.slug().as_str()), (402, "over-budget"));
    }
    assert_eq!(shop.spent(), pictures * COST);
    assert_eq!(shop.receipts().len() as u64, pictures);
    let shown = shop.get("/v1/channels");
    let channels = shown["channels"].as_array().unwrap();
    assert_eq!(channels.len(), 2, "{shown}");
    // What both operators settle is the budget.
    let first = shop.world.gateway_url.clone();
    let own = served["operator"].as_str().unwrap();
    let paid: Vec<_> = channels
        .iter()
        .map(|one| {
            let gateway = if one["operator"] == own { &second } else { &first };
            charged_by(&shop.world, gateway, one["channel"].as_str().unwrap())
        })
        .collect();
    assert!(paid.iter().all(|paid| *paid >= COST), "{paid:?}");
    assert_eq!(paid.iter().sum::<u64>(), pictures * COST);
}
