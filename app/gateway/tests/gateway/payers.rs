//! Payers with many callers, and payers that continue after their process.

use std::{collections::BTreeSet, path::Path, time::Duration};

use futures::future::join_all;
use motif_sdk::{
    gateway::{
        GatewayClient, GatewayError, IdempotencyKey, Payer, PayerOptions, PayerPolicy,
        wire::{BatchRequest, BatchedGeneration, Captured, Payment},
    },
    receipt::SignedReceipt,
};
use motif_testkit::slow_link::SlowLink;
use serde_json::json;

use crate::{
    sold::{Sold, now},
    world::{CHANNEL, World, license, on_postgres_too, voucher_key},
};

/// Opens a payer with a state file.
async fn with_state(world: &World, state: &Path) -> Result<Payer, GatewayError> {
    let options = PayerOptions { state: Some(state.to_owned()), ..PayerOptions::default() };
    open(world.client(), world, options).await
}

async fn open(
    client: GatewayClient,
    world: &World,
    options: PayerOptions,
) -> Result<Payer, GatewayError> {
    let account = world.chain.channel_account();
    Payer::open(client, CHANNEL, &account, voucher_key(), options).await
}

/// Pays for generations by as many tasks; returns their receipts.
async fn generate(payer: &Payer, requests: std::ops::Range<u8>) -> Vec<SignedReceipt> {
    let tasks = requests.map(|number| {
        let payer = payer.clone();
        tokio::spawn(async move { payer.generate(0, 1, [number; 32], [number; 32]).await })
    });
    let paid = join_all(tasks.collect::<Vec<_>>()).await;
    paid.into_iter().map(|paid| paid.unwrap().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_share_one_channel() {
    let sold = Sold::with(|paywall| paywall.unpaid = 20).await;
    let (payer, client) = (sold.session.clone(), sold.client.clone());
    let mut tasks = Vec::new();
    for number in 0..24_u8 {
        let (payer, client) = (payer.clone(), client.clone());
        let request = match number % 6 {
            4 => sold.request("/stories", json!({ "prompt": "t", "tokens": 30 })),
            _ => sold.request("/images", json!({ "prompt": number.to_string(), "count": 2 })),
        };
        tasks.push(tokio::spawn(async move {
            let digest = [number; 32];
            match number % 6 {
                0 => vec![payer.generate(0, 1, digest, digest).await.unwrap()],
                1 => {
                    let one = BatchedGeneration::new(0, 1, digest, digest);
                    payer.generate_batch(vec![one; 3]).await.unwrap()
                }
                2 => {
                    let held = payer.hold(0, 5, digest, 60).await.unwrap();
                    vec![payer.capture(&held, 4, digest).await.unwrap()]
                }
                4 => {
                    let mut stream = payer.stream(&client, &request).await.unwrap();
                    let mut receipts = Vec::new();
                    while let Some(part) = stream.next().await.unwrap() {
                        receipts.push(part.receipt);
                    }
                    receipts
                }
                _ => vec![payer.fetch(&client, &request).await.unwrap().receipt],
            }
        }));
    }
    let receipts: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    let units: u64 = receipts.iter().map(|signed| u64::from(signed.receipt.units)).sum();
    // Four rounds of 1, 3, 4, 2, 3 and 2 units.
    assert_eq!(units, 60);
    let positions: BTreeSet<_> = receipts.iter().map(|signed| signed.receipt.position).collect();
    assert_eq!(positions.len(), receipts.len(), "each has a place of its own");
    assert_eq!(
        (sold.owed().await, payer.cumulative().unwrap(), payer.spent()),
        (6_120, 6_120, 6_120)
    );
    let settled = sold.world.settle().await.unwrap();
    assert_eq!((settled[0].prices.0, settled[0].receipts), (6_000, receipts.len() as u32));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waiting_payments_leave_together() {
    let world = World::new().await;
    let link = SlowLink::to(world.gateway.local_addr(), Duration::from_millis(40)).await;
    let client = GatewayClient::new(&link.url());
    let payer = open(client, &world, PayerOptions::default()).await.unwrap();
    let receipts = generate(&payer, 0..100).await;
    let totals: BTreeSet<_> = receipts.iter().map(|signed| signed.receipt.cumulative).collect();
    // The first leaves alone, or with a few; the others wait for its answer.
    assert!(totals.len() <= 5, "{} vouchers", totals.len());
    assert_eq!(world.state().await.cumulative.0, 100 * 102);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refused_payment_fails_alone() {
    let world = World::unopened(|_| ()).await;
    {
        let mut state = world.chain.state();
        let few = payments::License { units_left: 2, ..license(7) };
        state.channels.get_mut(&CHANNEL).unwrap().licenses = vec![license(100), few];
    }
    world.client().open_channel(&CHANNEL).await.unwrap();
    // The payer does not know that one unit is held for another process.
    let other = open(world.client(), &world, PayerOptions::default()).await.unwrap();
    other.hold(1, 1, [9; 32], 60).await.unwrap();
    let link = SlowLink::to(world.gateway.local_addr(), Duration::from_millis(20)).await;
    let client = GatewayClient::new(&link.url());
    let payer = open(client, &world, PayerOptions::default()).await.unwrap();
    let held = payer.hold(0, 1, [8; 32], 60).await.unwrap();
    payer.release(&held).await.unwrap();
    let pay = |license: u16, units: u32| {
        let payer = payer.clone();
        async move { payer.generate(license, units, [1; 32], [2; 32]).await }
    };
    let (first, second, third, fourth, unknown, ended, last) = tokio::join!(
        pay(0, 1),
        pay(0, 1),
        pay(1, 1),
        pay(1, 1),
        pay(7, 1),
        payer.capture(&held, 1, [2; 32]),
        pay(0, 1),
    );
    for paid in [first, second, last] {
        paid.unwrap();
    }
    let of_license = [third, fourth];
    let refused: Vec<_> = of_license.iter().filter_map(|paid| paid.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{of_license:?}");
    assert_eq!(refused[0].slug(), Some("unit-cap"));
    assert!(matches!(unknown, Err(GatewayError::LicenseNotFound(7))), "{unknown:?}");
    assert_eq!(ended.unwrap_err().slug(), Some("hold-ended"));
    assert_eq!(world.state().await.open.receipts, 4);
}

#[tokio::test]
async fn second_process_error_names_holder() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let state = folder.path().join("payer");
    let payer = with_state(&world, &state).await.unwrap();
    let refused = with_state(&world, &state).await.unwrap_err();
    let GatewayError::StateLocked { holder, .. } = &refused else { panic!("{refused}") };
    assert!(holder.contains(&format!("process {}", std::process::id())), "{holder}");
    assert!(refused.is_definite());
    drop(payer);
    with_state(&world, &state).await.unwrap();
}

#[tokio::test]
async fn payer_continues_from_its_file() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let state = folder.path().join("payer");
    let payer = with_state(&world, &state).await.unwrap();
    let first = generate(&payer.tagged("ann"), 0..5).await;
    let day = now() / 86_400;
    drop(payer);
    world.settle().await.unwrap();
    let payer = with_state(&world, &state).await.unwrap();
    assert_eq!((payer.spent(), payer.spent_on(day, Some("ann"))), (510, 510));
    let second = generate(&payer, 5..8).await;
    let kept: BTreeSet<_> =
        payer.receipts().iter().map(|kept| kept.receipt.receipt.digest()).collect();
    let paid = first.iter().chain(&second).map(|signed| signed.receipt.digest());
    assert_eq!(kept, paid.collect());
    assert_eq!((payer.statement(), world.state().await.cumulative.0), (1, 816));
    payer.forget_receipts(5).await.unwrap();
    drop(payer);
    let payer = with_state(&world, &state).await.unwrap();
    assert_eq!(payer.receipts().len(), 3);
    let text = std::fs::read(&state).unwrap();
    let secret = voucher_key().to_bytes();
    assert!(!text.windows(32).any(|bytes| bytes == secret), "the file has no key");
}

#[tokio::test]
async fn budget_holds_over_restart() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let state = Some(folder.path().join("payer"));
    let policy = PayerPolicy { budget_per_day: Some(306), ..PayerPolicy::default() };
    for round in 0..3 {
        let options =
            PayerOptions { policy: policy.clone(), state: state.clone(), receipt_keys: None };
        let payer = open(world.client(), &world, options).await.unwrap();
        let paid = payer.generate(0, 1, [round; 32], [0; 32]).await;
        assert!(paid.is_ok(), "{paid:?}");
    }
    let options = PayerOptions { policy, state, receipt_keys: None };
    let payer = open(world.client(), &world, options).await.unwrap();
    let refused = payer.generate(0, 1, [9; 32], [0; 32]).await.unwrap_err();
    assert!(matches!(refused, GatewayError::OverBudget { total: 408, budget: 306 }), "{refused}");
    assert_eq!(world.state().await.cumulative.0, 306);
}

#[tokio::test]
async fn restored_backup_is_offered_vouchers() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let state = folder.path().join("payer");
    let payer = with_state(&world, &state).await.unwrap();
    generate(&payer, 0..7).await;
    let Some(backup) = world.backup().await else { return };
    generate(&payer, 7..20).await;
    drop(payer);
    let world = world.restored(backup).await;
    assert_eq!(world.state().await.cumulative.0, 7 * 102, "the gateway has lost vouchers");
    let payer = with_state(&world, &state).await.unwrap();
    assert_eq!(world.state().await.cumulative.0, 20 * 102);
    assert_eq!(payer.spent(), 20 * 102, "nothing is charged twice");
    generate(&payer, 20..22).await;
    let settled = world.settle().await.unwrap();
    assert_eq!((settled[0].prices.0, settled[0].receipts), (2_200, 22));
    assert_eq!(world.chain.channel_account().channel.cumulative().unwrap(), 22 * 102);
}

#[tokio::test]
async fn running_payer_offers_lost_vouchers() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let Some(backup) = world.backup().await else { return };
    // The gateway is restored behind the same address.
    let link = SlowLink::to(world.gateway.local_addr(), Duration::ZERO).await;
    let state = Some(folder.path().join("payer"));
    let options = PayerOptions { state, ..PayerOptions::default() };
    let client = GatewayClient::new(&link.url());
    let payer = open(client, &world, options).await.unwrap();
    generate(&payer, 0..9).await;
    let world = world.restored(backup).await;
    link.redirect(world.gateway.local_addr());
    world.client().open_channel(&CHANNEL).await.unwrap();
    let receipts = generate(&payer, 9..12).await;
    assert_eq!(receipts.len(), 3);
    assert_eq!((world.state().await.cumulative.0, payer.spent()), (1_224, 1_224));
    assert_eq!(world.settle().await.unwrap()[0].receipts, 12);
}

#[tokio::test]
async fn answer_captured_for_less_is_not_delivered() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York", "count": 3 }));
    let due = sold.due(&request).await;
    // The payer captures the answer's hold at the gateway, for one unit of three.
    let digest = request.digest().unwrap();
    let one = BatchedGeneration::new(0, 1, digest, due.output_digest.0);
    let generations = vec![one.capturing(Captured::Hold(due.answer))];
    let batch = BatchRequest { voucher: sold.voucher().await, generations };
    let key = IdempotencyKey::random();
    sold.world.client().generate_batch(&CHANNEL, &key, &batch).await.unwrap();
    for payment in [None, Some(batch.voucher)] {
        let mut ask = sold.ask(&request);
        ask.voucher = payment;
        let asked = sold.send(&request, Some(&Payment::Ask(ask))).await;
        assert!(!asked.status.is_success(), "{}", asked.text());
    }
    let paid = sold.pay(&request, &due, batch.voucher).await;
    assert!(!paid.status.is_success(), "{}", paid.text());
    assert_eq!(sold.owed().await, 102);
}

on_postgres_too! {
    second_process_error_names_holder,
    payer_continues_from_its_file,
    answer_captured_for_less_is_not_delivered,
}
