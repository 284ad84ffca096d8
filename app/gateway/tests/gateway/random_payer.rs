use std::{collections::HashMap, time::Duration};

use motif_sdk::{
    fingerprint::content_digest,
    gateway::{
        PaidRequest,
        wire::{Due, Payment, ReceiptParts},
    },
    voucher::SignedVoucher,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    sold::{Sold, due_of},
    world::{Answer, on_postgres_too},
};

/// Answers that a platform received: units by receipt.
#[derive(Default)]
struct Loot {
    units: HashMap<[u8; 32], u32>,
    vouchers: Vec<SignedVoucher>,
}

impl Loot {
    /// Records a received answer.
    fn take(&mut self, answer: &Answer) {
        if answer.status != StatusCode::OK {
            return;
        }
        let receipt = answer.headers[ReceiptParts::HEADER].to_str().unwrap();
        let receipt = ReceiptParts::from_header(receipt).unwrap();
        assert_eq!(receipt.output_digest.0, content_digest(&answer.body));
        self.units.insert(receipt.digest.0, receipt.units);
    }
}

/// Requests an answer; returns the due, if there is one.
async fn ask(sold: &Sold, request: &PaidRequest, loot: &mut Loot) -> Option<Due> {
    let answer = sold.send(request, Some(&Payment::Ask(sold.ask(request)))).await;
    loot.take(&answer);
    (answer.status == StatusCode::PAYMENT_REQUIRED).then(|| due_of(&answer))
}

#[tokio::test]
async fn random_payer_gets_only_paid_units() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut sold = Sold::with(|paywall| paywall.unpaid = 1_000).await;
    let mut loot = Loot::default();
    let mut asked: Vec<PaidRequest> = Vec::new();
    let failures = [None, None, None, Some("error"), Some("lie"), Some("midway"), Some("silent")];
    for round in 0..150 {
        let body = json!({
            "prompt": format!("no. {}", random.random_range(0..40)),
            "count": random.random_range(1..6),
            "side": 16,
            "fail": failures.choose(&mut random).unwrap(),
        });
        let request = sold.request("/images", body);
        match random.random_range(0..8) {
            // Requests and disconnects before the answer.
            0 => {
                let going = ask(&sold, &request, &mut loot);
                let within = Duration::from_micros(random.random_range(0..20_000));
                let _ = tokio::time::timeout(within, going).await;
            }
            // Requests and does not pay.
            1 => drop(ask(&sold, &request, &mut loot).await),
            // Pays with a used voucher, or for one unit.
            2 => {
                let earlier = loot.vouchers.choose(&mut random).copied();
                let voucher = match earlier {
                    Some(earlier) => earlier,
                    None => sold.voucher().await,
                };
                if let Some(due) = ask(&sold, &request, &mut loot).await {
                    loot.take(&sold.pay(&request, &due, voucher).await);
                }
            }
            // Repeats a request.
            3 => {
                if let Some(earlier) = asked.choose(&mut random).cloned() {
                    drop(ask(&sold, &earlier, &mut loot).await);
                }
            }
            // Pays twice concurrently.
            4 => {
                if let Some(due) = ask(&sold, &request, &mut loot).await {
                    let voucher = sold.voucher_for(&due);
                    let (one, other) = tokio::join!(
                        sold.pay(&request, &due, voucher),
                        sold.pay(&request, &due, voucher)
                    );
                    loot.take(&one);
                    loot.take(&other);
                    loot.vouchers.push(voucher);
                }
            }
            // Pays and disconnects before the answer.
            5 => {
                if let Some(due) = ask(&sold, &request, &mut loot).await {
                    let voucher = sold.voucher_for(&due);
                    let within = Duration::from_micros(random.random_range(0..5_000));
                    let _ = tokio::time::timeout(within, sold.pay(&request, &due, voucher)).await;
                    loot.vouchers.push(voucher);
                }
            }
            // Pays honestly.
            _ => {
                if let Some(due) = ask(&sold, &request, &mut loot).await {
                    let voucher = sold.voucher_for(&due);
                    loot.take(&sold.pay(&request, &due, voucher).await);
                    loot.vouchers.push(voucher);
                }
            }
        }
        asked.push(request);
        match round % 50 {
            20 => drop(sold.world.settle().await),
            40 => {
                sold = sold.restarted().await;
                let moved = sold.url("/images");
                asked.iter_mut().for_each(|request| request.url = moved.clone());
            }
            _ => {}
        }
    }
    let had = |loot: &Loot| loot.units.values().map(|units| u64::from(*units)).sum::<u64>();
    assert!(had(&loot) * 102 <= sold.owed().await, "seed {seed}: something was had for nothing");
    // A retry returns paid answers that were not received.
    for request in &asked {
        drop(ask(&sold, request, &mut loot).await);
    }
    assert_eq!(had(&loot) * 102, sold.owed().await, "seed {seed}");
    assert!(had(&loot) > 20, "seed {seed}");
}

on_postgres_too! {
    random_payer_gets_only_paid_units,
}
