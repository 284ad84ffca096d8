//! P5: thousands of tiny settlements pay exactly as much as one large settlement.

use motif_tests::world::{OpenedChannel, RegisteredWork, World};

const SPLIT: [u16; 3] = [3_333, 3_333, 3_334];

struct Paid {
    recipients: Vec<u64>,
    parent: Vec<u64>,
    operator: u64,
    payer: u64,
    vault: u64,
}

/// A model with three recipients and its parent with two, licensed at 7 with a fee of 1.11 percent.
fn world() -> (World, OpenedChannel, RegisteredWork, RegisteredWork) {
    let mut world = World::new();
    let channel = world.channel().deposited(100_000).fee(111).open();
    let image = world.work().split(&[1, 9_999]).register();
    let model = world.work().split(&SPLIT).parent(&image, 1_111).register();
    let terms = world.terms(&model).price(7).publish();
    world.accept(&channel, &terms);
    world.open_earnings(&image);
    world.open_earnings(&model);
    (world, channel, model, image)
}

fn close(
    mut world: World,
    channel: &OpenedChannel,
    model: &RegisteredWork,
    image: &RegisteredWork,
) -> Paid {
    // Claims the rest; recipients without a rest are rejected.
    let _ = world.collect(channel, &[(0, model)]);
    let _ = world.pull(model, image);
    for work in [model, image] {
        for recipient in &work.recipients {
            let _ = world.claim(work, recipient);
        }
    }
    let _ = world.send(channel.claiming_fees());
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    let balances = |work: &RegisteredWork| -> Vec<u64> {
        work.recipients.iter().map(|person| world.balance(person)).collect()
    };
    Paid {
        recipients: balances(model),
        parent: balances(image),
        operator: world.balance(&channel.operator),
        payer: world.balance(&channel.payer),
        vault: world.vault_balance(),
    }
}

#[test]
fn tiny_settlements_equal_one_large() {
    const ROUNDS: u32 = 150;
    let (mut world, channel, model, image) = self::world();
    for _ in 0..ROUNDS {
        world.settle(&channel, &[(0, 1)]).assert_ok();
        world.collect(&channel, &[(0, &model)]).assert_ok();
        let _ = world.pull(&model, &image);
        for recipient in model.recipients.iter().chain(&image.recipients) {
            let _ = world.claim(&model, recipient);
            let _ = world.claim(&image, recipient);
        }
        let _ = world.send(channel.claiming_fees());
    }
    let tiny = close(world, &channel, &model, &image);

    let (mut world, channel, model, image) = self::world();
    world.settle(&channel, &[(0, ROUNDS)]).assert_ok();
    let large = close(world, &channel, &model, &image);

    assert_eq!((&tiny.recipients, &tiny.parent), (&large.recipients, &large.parent));
    assert_eq!((tiny.operator, tiny.payer, tiny.vault), (large.operator, large.payer, large.vault));
    // 1,050 in prices: 116 for the parent, 933 for the model's recipients, a third each; 11 in
    // fees.
    assert_eq!(tiny.recipients, [310, 310, 311]);
    assert_eq!(tiny.parent, [0, 115]);
    assert_eq!((tiny.operator, tiny.payer), (11, 100_000 - 1_061));
    assert_eq!(tiny.vault, 4); // dust: less than one unit a party
}

#[test]
fn frequent_claims_are_never_ahead() {
    let (mut world, channel, model, _) = world();
    let mut before = 0;
    for round in 1..=30_u64 {
        world.settle(&channel, &[(0, 1)]).assert_ok();
        world.collect(&channel, &[(0, &model)]).assert_ok();
        let _ = world.claim(&model, &model.recipients[0]);
        let paid = world.balance(&model.recipients[0]);
        assert!(paid >= before);
        assert_eq!(paid, round * 7 * (10_000 - 1_111) / 10_000 * 3_333 / 10_000);
        before = paid;
    }
}
