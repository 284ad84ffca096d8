use motif_sdk::{
    channel::License,
    gateway::{
        GatewayError, IdempotencyKey, Payer, PayerOptions,
        wire::{BatchRequest, BatchedGeneration, Captured, Digest},
    },
    receipt::proof::ReceiptProof,
};

use crate::world::{CHANNEL, World, license, on_postgres_too, voucher_key};

/// Three licenses: at 100, at 7 with two units left, and at 1.
async fn blended() -> World {
    let world = World::unopened(|_| ()).await;
    let licenses = vec![license(100), License { units_left: 2, ..license(7) }, license(1)];
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().licenses = licenses;
    world.client().open_channel(&CHANNEL).await.unwrap();
    world
}

async fn session(world: &World) -> Payer {
    let account = world.chain.channel_account();
    let options = PayerOptions::default();
    Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await.unwrap()
}

/// One request and output under several licenses.
fn blend(uses: &[(u16, u32)]) -> Vec<BatchedGeneration> {
    let one =
        |&(license, units): &(u16, u32)| BatchedGeneration::new(license, units, [1; 32], [2; 32]);
    uses.iter().map(one).collect()
}

#[tokio::test]
async fn blended_generation_pays_each_license() {
    let world = blended().await;
    let session = session(&world).await;
    session.generate(0, 1, [0; 32], [0; 32]).await.unwrap();
    let receipts = session.generate_batch(blend(&[(0, 1), (1, 2), (2, 30), (0, 1)])).await.unwrap();
    let amounts: Vec<_> = receipts.iter().map(|signed| signed.receipt.amount).collect();
    assert_eq!(amounts, [100, 14, 30, 100]);
    let positions: Vec<_> = receipts.iter().map(|signed| signed.receipt.position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    assert_eq!(world.settle().await.unwrap()[0].receipts, 5);
    let channel = world.chain.channel_account().channel;
    assert_eq!(channel.cumulative().unwrap(), session.cumulative().unwrap());
    for receipt in &receipts {
        let parts = world.client().proof(&receipt.receipt.digest()).await.unwrap();
        assert_eq!(
            ReceiptProof::from(&parts).verify(&CHANNEL, &channel, &world.receipt_keys()),
            Ok(())
        );
    }
}

#[tokio::test]
async fn bad_item_is_named_and_rejects_batch() {
    let world = blended().await;
    let session = session(&world).await;
    for (uses, slug) in [
        (&[(0, 1), (1, 3)][..], "unit-cap"),
        (&[(0, 1), (2, 0)], "no-units"),
        (&[], "batch-size"),
        (&[(0, 1); 1_001], "batch-size"),
    ] {
        let refused = session.generate_batch(blend(uses)).await.unwrap_err();
        // The session itself detects an exhausted license.
        let is_own = matches!(refused, GatewayError::LicenseRefuses { license: 1, .. });
        assert!(refused.slug() == Some(slug) || (is_own && slug == "unit-cap"), "{refused}");
        assert_eq!(world.state().await.open.receipts, 0);
    }
    let state = world.state().await;
    let mut generations = blend(&[(0, 1), (1, 3), (2, 0), (9, 1)]);
    let unknown = Captured::Hold(Digest([9; 32]));
    generations.push(generations[0].capturing(unknown));
    let (voucher, key) = (world.next_request().await.voucher, IdempotencyKey::random());
    let request = BatchRequest { voucher, generations };
    let refused = world.client().generate_batch(&CHANNEL, &key, &request).await.unwrap_err();
    let GatewayError::Refused(problem) = refused else { panic!("{refused}") };
    assert_eq!((&problem.slug[..], problem.status), ("batch-items", 409));
    let items = problem.items.iter().map(|item| (item.item, &item.slug[..]));
    let expected = [(1, "unit-cap"), (2, "no-units"), (3, "unknown-license"), (4, "hold-ended")];
    assert_eq!(items.collect::<Vec<_>>(), expected);
    assert_eq!(world.state().await, state);
    session.generate_batch(blend(&[(0, 1); 1_000])).await.unwrap();
    assert_eq!(world.state().await.open.receipts, 1_000);
}

#[tokio::test]
async fn captured_holds_share_a_voucher() {
    let world = blended().await;
    let session = session(&world).await;
    let first = session.hold(0, 3, [1; 32], 60).await.unwrap();
    let second = session.hold(2, 3, [1; 32], 60).await.unwrap();
    let capture =
        |hold: [u8; 32], one: BatchedGeneration| one.capturing(Captured::Hold(Digest(hold)));
    let mut generations = blend(&[(0, 2), (0, 1), (2, 3)]);
    generations[0] = capture(first.hold, generations[0]);
    generations[2] = capture(second.hold, generations[2]);
    let receipts = session.generate_batch(generations.clone()).await.unwrap();
    let amounts: Vec<_> = receipts.iter().map(|signed| signed.receipt.amount).collect();
    assert_eq!(amounts, [200, 100, 3]);
    let state = world.state().await;
    // The same request again, also after a kill, and after its statement has closed.
    let voucher = state.open.voucher.unwrap();
    let request = BatchRequest { voucher, generations };
    let key: IdempotencyKey = "another-key".parse().unwrap();
    let refused = world.client().generate_batch(&CHANNEL, &key, &request).await.unwrap_err();
    let GatewayError::Refused(problem) = refused else { panic!("{refused}") };
    let items = problem.items.iter().map(|item| (item.item, &item.slug[..]));
    assert_eq!(items.collect::<Vec<_>>(), [(0, "hold-ended"), (2, "hold-ended")]);
    let world = world.restarted(false).await;
    assert_eq!(world.state().await, state);
    let session = self::session(&world).await;
    for hold in [first, second] {
        assert_eq!(session.release(&hold).await.unwrap_err().slug(), Some("hold-captured"));
    }
}

#[tokio::test]
async fn batch_survives_kill_whole() {
    let world = blended().await;
    let session = session(&world).await;
    session.generate_batch(blend(&[(0, 1), (1, 1)])).await.unwrap();
    let state = world.state().await;
    let voucher = state.open.voucher.unwrap();
    let world = world.restarted(false).await;
    assert_eq!(world.state().await, state);
    // The same batch under another key, and a lower total, are not newer.
    let request = BatchRequest { voucher, generations: blend(&[(0, 1), (1, 1)]) };
    let key = IdempotencyKey::random();
    let refused = world.client().generate_batch(&CHANNEL, &key, &request).await.unwrap_err();
    assert_eq!(refused.slug(), Some("voucher-not-newer"));
    assert_eq!(world.state().await, state);
}

#[tokio::test]
async fn batch_size_is_part_of_request() {
    let world = World::new().await;
    let request = world.next_request().await;
    let key: IdempotencyKey = "the-same-key".parse().unwrap();
    let receipt = world.client().generate(&CHANNEL, &key, &request).await.unwrap();
    let state = world.state().await;
    let batch = |count| BatchRequest {
        voucher: request.voucher,
        generations: vec![request.generation(); count],
    };
    let refused = world.client().generate_batch(&CHANNEL, &key, &batch(2)).await.unwrap_err();
    assert_eq!(refused.slug(), Some("idempotency-key-reused"));
    // One item equals the single generation.
    let again = world.client().generate_batch(&CHANNEL, &key, &batch(1)).await.unwrap();
    assert_eq!(again.receipts, [receipt]);
    assert_eq!(world.state().await, state);
}

on_postgres_too! {
    batch_size_is_part_of_request,
    blended_generation_pays_each_license,
    bad_item_is_named_and_rejects_batch,
    captured_holds_share_a_voucher,
    batch_survives_kill_whole,
}
